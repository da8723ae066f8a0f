import { isLegacyRequest } from '@modelcontextprotocol/server';
import type { Clock } from '../../../src/lib/clock.ts';
import type { RoomId } from '../../../src/lib/ids.ts';
import type { Log } from '../../../src/lib/log.ts';
import type { RoomGateway } from '../../rooms.ts';
import type { Caller } from '../auth.ts';
import { SESSION_LIMITS, type SessionLimits } from './limits.ts';
import { createRoomEndpoint, type RoomEndpoint } from './room-endpoint.ts';
import { createSessions } from './sessions.ts';
import { createToolServer } from './tool-server.ts';

/** The MCP endpoint: both wires, every room; the caller has been authenticated. */
export interface McpEndpoint {
  /** @param parsedBody the JSON of a POST, undefined for other methods */
  handle(request: Request, parsedBody: unknown, caller: Caller): Promise<Response>;
  /** sessions of the older wire */
  sessions(): number;
  close(): Promise<void>;
}

export interface McpEndpointOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly sessionLimits?: SessionLimits;
}

/** Makes the {@link McpEndpoint}. */
export function createMcpEndpoint({ clock, log, sessionLimits = SESSION_LIMITS }: McpEndpointOptions): McpEndpoint {
  const rooms = new Map<RoomId, RoomEndpoint>();
  const endpointOf = (gateway: RoomGateway): RoomEndpoint => {
    const existing = rooms.get(gateway.room);
    if (existing !== undefined) return existing;
    const onToolsChanged = () => {
      sessions.toolsChanged(gateway.room);
    };
    const created = createRoomEndpoint({ gateway, clock, log, onToolsChanged });
    rooms.set(gateway.room, created);
    return created;
  };
  const sessions = createSessions({
    limits: sessionLimits,
    clock,
    log,
    createServer: (caller) => createToolServer({ list: endpointOf(caller.gateway).list, caller, clock, log }),
  });
  return {
    async handle(request, parsedBody, caller) {
      if (await isLegacyRequest(request, parsedBody)) return await sessions.handle(request, parsedBody, caller);
      return await endpointOf(caller.gateway).handle(request, parsedBody, caller);
    },
    sessions: () => sessions.count(),
    async close() {
      await Promise.all([sessions.close(), ...[...rooms.values()].map((room) => room.close())]);
    },
  };
}
