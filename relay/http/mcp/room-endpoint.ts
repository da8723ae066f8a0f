import { createMcpHandler, type McpHttpHandler } from '@modelcontextprotocol/server';
import type { Clock } from '../../../src/lib/clock.ts';
import type { Log } from '../../../src/lib/log.ts';
import type { RoomGateway } from '../../rooms.ts';
import type { Caller } from '../auth.ts';
import { LIST_CHANGED_QUIET_MS, MAX_BODY_BYTES, MAX_SUBSCRIPTIONS } from './limits.ts';
import { createToolList, type ToolList } from './tool-list.ts';
import { createToolServer } from './tool-server.ts';

/** One room on the stateless wire of MCP 2026-07-28. Rooms do not share one: its change events go to all its listeners. */
export interface RoomEndpoint {
  readonly list: ToolList;
  handle(request: Request, parsedBody: unknown, caller: Caller): Promise<Response>;
  close(): Promise<void>;
}

export interface RoomEndpointOptions {
  readonly gateway: RoomGateway;
  readonly clock: Clock;
  readonly log: Log;
  /** called, after a quiet moment, when the tools have changed */
  readonly onToolsChanged: () => void;
}

/** Makes a {@link RoomEndpoint}. */
export function createRoomEndpoint({ gateway, clock, log, onToolsChanged }: RoomEndpointOptions): RoomEndpoint {
  const stop = new AbortController();
  let telling = false;
  const list = createToolList(gateway.tools, () => {
    if (telling) return;
    telling = true;
    clock.sleep(LIST_CHANGED_QUIET_MS, stop.signal).then(
      () => {
        telling = false;
        handler.notify.toolsChanged();
        onToolsChanged();
      },
      // the relay stops: there is nobody left to tell
      () => undefined,
    );
  });

  // the caller travels beside the request: a factory is told only what the SDK's own auth type can carry
  const callers = new WeakMap<Request, Caller>();
  const handler: McpHttpHandler = createMcpHandler(
    ({ requestInfo }) => {
      const caller = requestInfo === undefined ? undefined : callers.get(requestInfo);
      if (caller === undefined) throw new Error('an MCP request without a caller');
      return createToolServer({ list, caller, clock, log });
    },
    {
      legacy: 'reject',
      maxRequestBodySize: MAX_BODY_BYTES,
      maxSubscriptions: MAX_SUBSCRIPTIONS,
      onerror: (error) => {
        log.debug('mcp request rejected', { error: error.message });
      },
    },
  );

  return {
    list,
    handle(request, parsedBody, caller) {
      callers.set(request, caller);
      return handler.fetch(request, parsedBody === undefined ? {} : { parsedBody });
    },
    async close() {
      stop.abort();
      list.close();
      await handler.close();
    },
  };
}
