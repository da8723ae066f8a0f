import type { McpProvider, McpServing } from '../../contracts/mcp.ts';
import type { Principal } from '../../contracts/tools.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import type { Proven } from './member-links.ts';
import { MCP_METHODS } from './mcp-methods.ts';
import type { ServedTools } from './mcp-tools.ts';
import { createToolProvider } from './mcp-tools.ts';
import { isObject, MCP_REVISION, META, principalIn, toMcpFailure } from './mcp-wire.ts';
import type { RequestContext } from './served.ts';
import { refusal } from './tokens.ts';

export type { ServedTools } from './mcp-tools.ts';

/** A method besides MCP's, served to members. Its name starts with `tabmesh/`. */
export type ExtraMethod = (params: Record<string, unknown>, caller: Proven, signal: AbortSignal) => Promise<unknown>;

type Handler = (
  method: string,
  params: Record<string, unknown>,
  caller: Proven,
  context: RequestContext,
) => Promise<unknown>;

/**
 * Answers MCP over the mesh. A caller is the device of its proven connection, unless it brings a signed principal.
 * @param provider what it serves; the tools alone when absent
 * @param readPrincipal who such a call is for; refuses them all when absent
 */
export function createMcpServer(
  tools: ServedTools,
  name: () => string,
  version: string,
  extra: Readonly<Record<string, ExtraMethod>>,
  provider: McpProvider = createToolProvider(tools, () => toolServing(name(), version)),
  readPrincipal: ReadPrincipal = refuseAll,
): Handler {
  return async (method, params, caller, context) => {
    if (method === 'ping') return {};
    if (method === 'server/discover') {
      // the second name is what peers of before this asked for
      return { supportedVersions: [MCP_REVISION], protocolVersions: [MCP_REVISION], ...provider.discover() };
    }
    const serve = Object.hasOwn(extra, method) ? extra[method] : undefined;
    if (serve !== undefined) return serve(params, caller, context.signal);
    if (!MCP_METHODS.has(method)) throw refusal('method_not_found', `this peer has no method ${method}`);
    let principal: Principal = { kind: 'device', device: caller.device, peer: caller.peer };
    try {
      const named = principalIn(params);
      if (named !== undefined) principal = await readPrincipal(named, caller);
    } catch (thrown) {
      // what befalls a call is its result, whoever asks for it
      if (method === 'tools/call') return toMcpFailure(toTabmeshError(thrown).toWire());
      throw thrown;
    }
    return provider.request(method, params, {
      principal,
      get signal() {
        return context.signal;
      },
      notify: notifier(params, context),
    });
  };
}

/** A server of tools only. */
export function toolServing(name: string, version: string): McpServing {
  return { capabilities: { tools: { listChanged: true } }, serverInfo: { name, version } };
}

/** Marks what is told during a request with the token that its caller knows it by. */
function notifier(params: Readonly<Record<string, unknown>>, context: RequestContext): RequestContext['notify'] {
  const token = isObject(params['_meta']) ? params['_meta']['progressToken'] : undefined;
  return (method, told) => {
    if (token === undefined) return true;
    if (method === 'notifications/progress') return context.notify(method, { progressToken: token, ...told });
    const meta = isObject(told['_meta']) ? told['_meta'] : {};
    return context.notify(method, { ...told, _meta: { ...meta, [META.related]: token } });
  };
}

/** Who a call is for, when it says that it is not for the device of its connection. @throws `unauthorized`, `forbidden` */
export type ReadPrincipal = (value: unknown, caller: Proven) => Principal | Promise<Principal>;

const refuseAll: ReadPrincipal = () => {
  throw new TabmeshError('forbidden', 'this peer takes calls only from the device that makes them');
};
