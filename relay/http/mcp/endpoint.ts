import { isLegacyRequest } from '@modelcontextprotocol/server';
import type { IncomingHttpHeaders } from 'node:http';
import type { RoomTools } from '../../../src/contracts/tools.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { toTabmeshError } from '../../../src/lib/errors.ts';
import type { RoomId } from '../../../src/lib/ids.ts';
import type { Log } from '../../../src/lib/log.ts';
import { isObject } from '../../../src/mesh/rpc/mcp-wire.ts';
import type { RoomGateway } from '../../rooms.ts';
import type { Caller } from '../auth.ts';
import { statusOf } from '../status.ts';
import { jsonRpcError } from './json-rpc-error.ts';
import { SESSION_LIMITS, type SessionLimits } from './limits.ts';
import { plainAnswer, PlainCalls } from './plain-call.ts';
import { createPins, type Pins, type PinStore } from './pins.ts';
import { createSessions } from './sessions.ts';
import type { Outcome } from './target.ts';
import { Targets, type Address } from './targets.ts';
import { createTaskHost } from './tasks.ts';
import { trustedTools } from './trusted-tools.ts';

const SERVER_ERROR = -32_000;

/** The MCP endpoint: both wires, every room and every peer; the caller has been authenticated. */
export interface McpEndpoint {
  /**
   * @param parsedBody the JSON of a POST, undefined for other methods
   * @param outcome how the call has ended that {@link call} left to be told
   */
  handle(request: Request, parsedBody: unknown, caller: Caller, address: Address, outcome?: Outcome): Promise<Response>;
  /**
   * Makes the call of a request that asks for nothing but its answer.
   * @returns the body of the answer; how the call ended, for {@link handle} to tell it, when that is no plain result; undefined
   *   when {@link handle} is to make the call
   */
  call(
    body: unknown,
    headers: IncomingHttpHeaders,
    caller: Caller,
    address: Address,
    signalOf: () => AbortSignal,
  ): Promise<string | Outcome | undefined>;
  /** the definitions of other peers' tools in a room */
  pins(room: RoomId): Promise<Pins>;
  /** the tools of a room as every door shows and calls them */
  tools(gateway: RoomGateway): Promise<RoomTools>;
  /** sessions of the older wire */
  sessions(): number;
  /** long calls that go on without their client, and those whose answer is kept */
  tasks(): number;
  /** a token was taken back: its sessions end, and its tasks are cancelled */
  endSessionsOf(tokenId: string): Promise<void>;
  close(): Promise<void>;
}

export interface McpEndpointOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** where pins are kept; only in memory when absent */
  readonly pinStore?: (room: RoomId) => Promise<PinStore>;
  readonly sessionLimits?: SessionLimits;
}

/** Makes the {@link McpEndpoint}. */
export function createMcpEndpoint(options: McpEndpointOptions): McpEndpoint {
  const { clock, log, sessionLimits = SESSION_LIMITS } = options;
  const { pinStore = () => Promise.resolve<PinStore>({ initial: {}, save: () => Promise.resolve() }) } = options;
  const rooms = new Map<RoomId, Promise<Pins>>();
  const pins = (room: RoomId): Promise<Pins> => {
    const known = rooms.get(room);
    if (known !== undefined) return known;
    const making = pinStore(room).then((store) =>
      createPins(store, (error) => {
        log.error('tool definitions not kept', { room, error: String(error) });
      }),
    );
    rooms.set(room, making);
    making.catch(() => rooms.delete(room));
    return making;
  };
  const trusted = new WeakMap<RoomTools, Promise<RoomTools>>();
  const tools = ({ room, tools: all }: RoomGateway): Promise<RoomTools> => {
    const known = trusted.get(all);
    if (known !== undefined) return known;
    const making = pins(room).then((pinsOfRoom) => trustedTools(all, pinsOfRoom));
    trusted.set(all, making);
    making.catch(() => trusted.delete(all));
    return making;
  };
  const tasks = createTaskHost(clock);
  const targets = new Targets({ tasks, clock, log });
  const plainCalls = new PlainCalls();
  const sessions = createSessions({ limits: sessionLimits, clock, log });
  return {
    async call(body, headers, caller, address, signalOf) {
      // what a peer answers by itself is looked at by the SDK
      const call = address.peer === null ? plainCalls.read(body, headers) : undefined;
      if (call === undefined) return undefined;
      const target = targets.at(caller.gateway, address);
      if (!plainCalls.suits(target.tool(call.name))) return undefined;
      const outcome = await target.call(call.params, caller, signalOf());
      return outcome.result?.['resultType'] === undefined && outcome.result !== undefined
        ? plainAnswer(call, outcome.result, target.serverInfo())
        : outcome;
    },
    async handle(request, parsedBody, caller, address, outcome) {
      try {
        const target = targets.at(caller.gateway, address);
        await target.prepare(request.signal);
        if (!saysRevision(parsedBody) && (await isLegacyRequest(request, parsedBody))) {
          return await sessions.handle(request, parsedBody, caller, target);
        }
        const response = await target.handle(request, parsedBody, caller, outcome);
        if (response.ok) plainCalls.passed(parsedBody);
        return response;
      } catch (thrown) {
        if (request.signal.aborted) throw thrown;
        const error = toTabmeshError(thrown);
        return jsonRpcError(statusOf(error.code), SERVER_ERROR, error.message, error.toWire());
      }
    },
    pins,
    tools,
    sessions: () => sessions.count(),
    tasks: () => tasks.size,
    async endSessionsOf(tokenId) {
      tasks.endOf(tokenId);
      await sessions.endOf(tokenId);
    },
    async close() {
      tasks.close();
      await sessions.close();
      await targets.close();
    },
  };
}

/** Whether a message says its revision, as every one of the newer wire does: then there is no need to look closer. */
function saysRevision(body: unknown): boolean {
  const params = isObject(body) ? body['params'] : undefined;
  const meta = isObject(params) ? params['_meta'] : undefined;
  return isObject(meta) && typeof meta['io.modelcontextprotocol/protocolVersion'] === 'string';
}
