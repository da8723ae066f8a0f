import type { ToolMetadata } from '../../src/contracts/tools.ts';
import { METADATA_DEFAULTS } from '../../src/contracts/tools.ts';
import type { PeerId, DeviceId } from '../../src/lib/ids.ts';
import { TabmeshError } from '../../src/lib/errors.ts';
import type { Proven } from '../../src/mesh/rpc/member-links.ts';
import { McpBinding } from '../../src/mesh/rpc/mcp-binding.ts';
import type { ServedTools } from '../../src/mesh/rpc/mcp-server.ts';
import { createMcpServer } from '../../src/mesh/rpc/mcp-server.ts';
import { REQUEST_META } from '../../src/mesh/rpc/mcp-wire.ts';
import type { RawEnd, SessionEnd, SessionOptions } from './rpc-pair.ts';
import { rawPair } from './rpc-pair.ts';

/** A device that has proven itself. */
export const CALLER: Proven = {
  peer: '12D3KooWPeer' as PeerId,
  device: '12D3KooWDevice' as DeviceId,
  kind: 'tab',
  protocols: [],
  version: 1,
};

const ECHO: ToolMetadata = {
  name: 'echo',
  category: 'system',
  description: 'Answers what it is given.',
  runtime: 'auto',
  access: 'read',
  annotations: {
    title: 'Echo',
    readOnlyHint: true,
    destructiveHint: false,
    idempotentHint: true,
    openWorldHint: false,
  },
  inputSchema: { type: 'object' },
  outputSchema: { type: 'object' },
  ...METADATA_DEFAULTS,
  timeoutMs: 1_000,
  schemaVersion: '1.0',
};

/** Tools of a peer: `echo`, and who has called it. */
export interface CountedTools extends ServedTools {
  readonly calls: { tool: string; principal: unknown }[];
}

export function countedTools(): CountedTools {
  const calls: CountedTools['calls'] = [];
  return {
    calls,
    list: () => [ECHO],
    call({ tool, args, principal }) {
      if (tool !== ECHO.name) return Promise.reject(new TabmeshError('unknown_tool', `no tool ${tool}`));
      calls.push({ tool, principal });
      return Promise.resolve(args);
    },
  };
}

/** The end of a stream at which a peer serves MCP, as `RpcSessions` sets it up, spoken to by hand. */
export function mcpEnd(options: SessionOptions = {}): { raw: RawEnd; end: SessionEnd; tools: CountedTools } {
  const tools = countedTools();
  const serve = createMcpServer(tools, () => 'served', '1.2.3', {});
  const binding = new McpBinding();
  const [raw, end] = rawPair(
    (method, params, context) => binding.answer(method, params, (asked, given) => serve(asked, given, CALLER, context)),
    options,
  );
  return { raw, end, tools };
}

/** A request on the stateless wire. */
export function request(id: number | string, method: string, params: Record<string, unknown> = {}) {
  return { jsonrpc: '2.0', id, method, params: { ...params, _meta: REQUEST_META } };
}

/** The answer to a request, once it has come. */
export function answerTo(raw: RawEnd, id: number | string | null): Record<string, unknown> | undefined {
  return raw.heard.find((message) => message['id'] === id && ('result' in message || 'error' in message));
}
