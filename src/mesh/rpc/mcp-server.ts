import type { CallOptions, Principal, ToolMetadata } from '../../contracts/tools.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import type { Proven } from '../membership/join.ts';
import { RPC_CODES } from './json-rpc.ts';
import { isObject, MCP_REVISION, META, principalOf, toMcpFailure, toMcpResult, toMcpTool } from './mcp-wire.ts';
import type { RequestContext } from './served.ts';
import { refusal } from './tokens.ts';

/** This peer's tools as it serves them to others. */
export interface ServedTools {
  list(): readonly ToolMetadata[];
  /** guards, runs, counts. @throws TabmeshError */
  call(request: { tool: string; args: unknown; principal: Principal }, options: CallOptions): Promise<unknown>;
}

/** A method besides MCP's, served to members. Its name starts with `tabmesh/`. */
export type ExtraMethod = (params: Record<string, unknown>, caller: Proven, signal: AbortSignal) => Promise<unknown>;

type Handler = (
  method: string,
  params: Record<string, unknown>,
  caller: Proven,
  context: RequestContext,
) => Promise<unknown>;

/**
 * Answers MCP over the mesh: `ping`, `server/discover`, `tools/list`, `tools/call`.
 * A caller is the device of its proven connection; only a relay may name somebody else, and only a token of its own.
 */
export function createMcpServer(
  tools: ServedTools,
  name: () => string,
  version: string,
  extra: Readonly<Record<string, ExtraMethod>>,
): Handler {
  const call = async (params: Record<string, unknown>, caller: Proven, context: RequestContext) => {
    const { name: tool, arguments: args } = params;
    if (typeof tool !== 'string') {
      throw new TabmeshError('invalid_input', 'tools/call without a tool name', {
        details: { rpcCode: RPC_CODES.invalidParams },
      });
    }
    const meta = isObject(params['_meta']) ? params['_meta'] : {};
    const token = meta['progressToken'];
    const options: CallOptions = {
      signal: context.signal,
      onProgress: (p) => {
        if (token !== undefined) context.notify('notifications/progress', { progressToken: token, ...withoutNulls(p) });
      },
    };
    try {
      const value = await tools.call({ tool, args: args ?? {}, principal: principalFor(params, caller) }, options);
      return toMcpResult(value, meta[META.structuredOnly] === true);
    } catch (thrown) {
      const error = toTabmeshError(thrown, 'tool_failed');
      if (error.code === 'unknown_tool') {
        throw new TabmeshError(error.code, error.message, {
          ...(error.hint === null ? {} : { hint: error.hint }),
          details: { ...error.details, rpcCode: RPC_CODES.invalidParams },
        });
      }
      return toMcpFailure(error.toWire());
    }
  };

  return async (method, params, caller, context) => {
    switch (method) {
      case 'ping':
        return {};
      case 'server/discover':
        return {
          protocolVersions: [MCP_REVISION],
          capabilities: { tools: { listChanged: true } },
          serverInfo: { name: name(), version },
        };
      case 'tools/list':
        return { tools: tools.list().map(toMcpTool) };
      case 'tools/call':
        return call(params, caller, context);
      default: {
        const serve = Object.hasOwn(extra, method) ? extra[method] : undefined;
        if (serve !== undefined) return serve(params, caller, context.signal);
        throw refusal('method_not_found', `this peer has no method ${method}`);
      }
    }
  };
}

function principalFor(params: Record<string, unknown>, caller: Proven): Principal {
  const token = principalOf(params);
  if (token === null) return { kind: 'device', device: caller.device, peer: caller.peer };
  if (caller.kind !== 'relay' || token.relay !== caller.peer) {
    throw new TabmeshError('forbidden', 'only a relay may call for a token, and only for its own');
  }
  return token;
}

function withoutNulls(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}
