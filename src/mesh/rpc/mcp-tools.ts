import type { McpObject, McpProvider, McpRequestContext, McpServing } from '../../contracts/mcp.ts';
import type { CallCredentials, CallOptions, Principal, ToolMetadata } from '../../contracts/tools.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import { formatTraceparent, parseTraceparent, TRACEPARENT } from '../../lib/traceparent.ts';
import { RPC_CODES } from './json-rpc.ts';
import { credentialsIn, isObject, META, toMcpFailure, toMcpResult, toMcpTool } from './mcp-wire.ts';
import { refusal } from './tokens.ts';

/** This peer's tools as it serves them to others. */
export interface ServedTools {
  list(): readonly ToolMetadata[];
  /** guards, runs, counts. @throws TabmeshError */
  call(
    request: { tool: string; args: unknown; principal: Principal; credentials?: CallCredentials },
    options: CallOptions,
  ): Promise<unknown>;
}

/** Serves a peer's tools, and nothing else, as MCP. */
export function createToolProvider(tools: ServedTools, serving: () => McpServing): McpProvider {
  return {
    discover: serving,
    request(method, params, context) {
      if (method === 'tools/call') return callTool(tools, params, context);
      if (method === 'tools/list') return Promise.resolve({ tools: tools.list().map(toMcpTool) });
      return Promise.reject(refusal('method_not_found', `this peer has no method ${method}`));
    },
  };
}

async function callTool(tools: ServedTools, params: McpObject, context: McpRequestContext): Promise<McpObject> {
  const { name: tool, arguments: args } = params;
  if (typeof tool !== 'string') {
    throw new TabmeshError('invalid_input', 'tools/call without a tool name', {
      details: { rpcCode: RPC_CODES.invalidParams },
    });
  }
  const meta = isObject(params['_meta']) ? params['_meta'] : {};
  const trace = parseTraceparent(meta[TRACEPARENT]);
  const timeoutMs = meta[META.timeoutMs];
  const options: CallOptions = {
    // only a tool that asks for it pays for it
    get signal() {
      return context.signal;
    },
    onProgress: (p) => context.notify('notifications/progress', withoutNulls(p)),
    ...(trace === undefined ? {} : { traceparent: formatTraceparent(trace) }),
    ...(typeof timeoutMs === 'number' && timeoutMs >= 0 ? { timeoutMs } : {}),
  };
  try {
    const request = { tool, args: args ?? {}, principal: context.principal, ...credentialsIn(meta) };
    const value = await tools.call(request, options);
    return toMcpResult(value, meta[META.structuredOnly] === true);
  } catch (thrown) {
    const error = toTabmeshError(thrown, 'tool_failed');
    if (error.code !== 'unknown_tool') return toMcpFailure(error.toWire());
    // MCP 2026-07-28, server/tools, "Error Handling": an unknown tool is a protocol error
    throw new TabmeshError(error.code, error.message, {
      ...(error.hint === null ? {} : { hint: error.hint }),
      details: { ...error.details, rpcCode: RPC_CODES.invalidParams },
    });
  }
}

function withoutNulls(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}
