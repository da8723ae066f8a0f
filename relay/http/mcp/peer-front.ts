import type { McpObject, McpServing } from '../../../src/contracts/mcp.ts';
import type { Principal } from '../../../src/contracts/tools.ts';
import { isWireError, TabmeshError, toTabmeshError, type ErrorCode } from '../../../src/lib/errors.ts';
import type { PeerId } from '../../../src/lib/ids.ts';
import { isObject, META, toMcpFailure } from '../../../src/mesh/rpc/mcp-wire.ts';
import { MAX_CALL_MS } from '../../../src/tools/limits.ts';
import type { RoomMcp } from '../../rooms.ts';
import type { Front, FrontContext, ShownTool } from './front.ts';
import { LISTEN_MS } from './limits.ts';

/** Lists and discovery: a peer answers them from what it knows. */
const ASK_MS = 10_000;
/** Of a tool that does not say how long it takes; a person may be asked meanwhile. */
const CALL_MS = 5 * 60_000;
/** Time for the answer to travel, beyond the tool's own limit: the place that runs it tells the timeout best. */
const SLACK_MS = 5_000;
/** A peer that shows more pages than this does not end. */
const MAX_PAGES = 64;

interface Known {
  readonly serving: McpServing;
  readonly tools: ReadonlyMap<string, ShownTool>;
}

/** One message to the peer, and its answer. */
type Ask = (method: string, params: McpObject, context: FrontContext, timeoutMs: number) => Promise<McpObject>;

/** Makes the {@link Front} of one peer: its own MCP server, message by message over the mesh; or this relay's own. */
export function createPeerFront(mcp: RoomMcp, peer: PeerId): Front {
  const ask: Ask = async (method, params, context, timeoutMs) => {
    if (peer === mcp.self().peer) {
      return method === 'server/discover' ? { ...mcp.own.discover() } : await mcp.own.request(method, params, context);
    }
    const result = await mcp.forward(peer, method, params, context.principal, {
      signal: context.signal,
      timeoutMs,
      onProgress: (told) => {
        context.notify('notifications/progress', told);
      },
      onNotification: (name, told) => {
        context.notify(name, told);
      },
    });
    if (!isObject(result)) throw new TabmeshError('protocol_error', `the peer's answer to ${method} is no object`);
    return result;
  };
  return createFront(ask, mcp.self(), gate(peer, peer === mcp.self().peer ? 'self' : 'peer'));
}

function createFront(ask: Ask, self: Principal, gated: Gated): Front {
  let known: Promise<Known> | null = null;
  let latest: Known | null = null;

  const learn = async (): Promise<Known> => {
    const context: FrontContext = {
      principal: self,
      caller: null,
      signal: AbortSignal.timeout(ASK_MS),
      notify: () => true,
    };
    const serving = readServing(await ask('server/discover', {}, context, ASK_MS));
    const tools = new Map<string, ShownTool>();
    if (serving.capabilities['tools'] === undefined) return { serving, tools };
    let cursor: unknown;
    for (let page = 0; page < MAX_PAGES; page++) {
      const result = await ask('tools/list', cursor === undefined ? {} : { cursor }, context, ASK_MS);
      for (const tool of Array.isArray(result['tools']) ? result['tools'] : []) {
        if (isShownTool(tool)) tools.set(tool.name, tool);
      }
      cursor = result['nextCursor'];
      if (typeof cursor !== 'string') break;
    }
    return { serving, tools };
  };

  return {
    discover() {
      if (latest === null) throw new TabmeshError('internal', 'this peer was not asked yet what it offers');
      return latest.serving;
    },
    async prepare(signal) {
      if (known === null) {
        const learning = learn();
        known = learning;
        learning.then(
          (facts) => {
            latest = facts;
          },
          () => {
            if (known === learning) known = null;
          },
        );
      }
      signal.throwIfAborted();
      await known;
    },
    tool: (name) => latest?.tools.get(name),
    toolsChanged() {
      known = null;
    },
    async request(method, params, context) {
      if (method === 'subscriptions/listen') return await ask(method, params, context, LISTEN_MS);
      if (method !== 'tools/call') return await ask(method, params, context, ASK_MS);
      try {
        return await gated(params, context, (given, principal) =>
          ask(method, given, { ...context, principal }, callLimit(latest?.tools.get(String(params['name'])))),
        );
      } catch (thrown) {
        const error = toTabmeshError(thrown);
        // what the peer says as an error of the protocol is one; what befell the call is a result that a model can read
        if (typeof error.details['rpcCode'] === 'number' || context.signal.aborted) throw error;
        return toMcpFailure(error.toWire());
      }
    },
    close: () => undefined,
  };
}

type Gated = (
  params: McpObject,
  context: FrontContext,
  run: (params: McpObject, principal: Principal) => Promise<McpObject>,
) => Promise<McpObject>;

/** Puts a call through the caller's gate, like any other call of this relay: scope, rate, audit, trace. */
function gate(peer: PeerId, kind: 'self' | 'peer'): Gated {
  return async (params, { caller, principal }, run) => {
    if (caller === null) return await run(params, principal);
    const meta = isObject(params['_meta']) ? params['_meta'] : {};
    const traceparent = meta['traceparent'];
    return await caller.around(
      {
        tool: String(params['name']),
        args: params['arguments'] ?? {},
        traceparent: typeof traceparent === 'string' ? traceparent : undefined,
      },
      (asking, trace) => run({ ...params, _meta: { ...meta, traceparent: trace } }, asking),
      (result) => ({
        outcome: result['isError'] === true ? failureOf(result) : 'ok',
        place: { kind, peer, name: peer },
      }),
    );
  };
}

function failureOf(result: McpObject): ErrorCode {
  const meta = isObject(result['_meta']) ? result['_meta'][META.error] : undefined;
  return isWireError(meta) ? meta.code : 'tool_failed';
}

function callLimit(tool: ShownTool | undefined): number {
  const ours = tool?._meta?.[META.metadata];
  const own = isObject(ours) ? ours['timeoutMs'] : undefined;
  return Math.min(typeof own === 'number' && own > 0 ? own + SLACK_MS : CALL_MS, MAX_CALL_MS);
}

function isShownTool(tool: unknown): tool is ShownTool {
  return isObject(tool) && typeof tool['name'] === 'string' && isObject(tool['inputSchema']);
}

function readServing(answer: McpObject): McpServing {
  const { serverInfo, capabilities, instructions } = answer;
  const info = isObject(serverInfo) ? serverInfo : {};
  const text = (value: unknown, fallback: string) => (typeof value === 'string' ? value : fallback);
  return {
    serverInfo: { name: text(info['name'], 'peer'), version: text(info['version'], '0') },
    capabilities: isObject(capabilities) ? capabilities : {},
    ...(typeof instructions === 'string' ? { instructions } : {}),
  };
}
