import type { Principal, ToolMetadata } from '../../contracts/tools.ts';
import { isWireError, TabmeshError } from '../../lib/errors.ts';
import type { WireError } from '../../lib/errors.ts';
import { fromPeer } from './messages.ts';

/** The revision spoken on the mesh; stateless, so every request says it again. */
export const MCP_REVISION = '2026-07-28';

/** `_meta` keys of ours, in reverse-domain style as MCP asks. */
export const META = {
  /** on a tool: what MCP has no field for */
  metadata: 'tabmesh/metadata',
  /** on a call: on whose behalf, when it is not the connection's own device */
  principal: 'tabmesh/principal',
  /** on a call: the caller reads `structuredContent` and needs no text copy of it */
  structuredOnly: 'tabmesh/structured-only',
  /** on a request over a relayed link: the name to which a large answer may be sent over another one */
  returnTo: 'tabmesh/return-to',
  /** on a failed result: the WireError */
  error: 'tabmesh/error',
} as const;

/** `_meta` of every request on the stateless wire. */
export const REQUEST_META: Readonly<Record<string, unknown>> = {
  'io.modelcontextprotocol/protocolVersion': MCP_REVISION,
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** A tool as `tools/list` shows it. */
export function toMcpTool(metadata: ToolMetadata): Record<string, unknown> {
  const { name, description, annotations, inputSchema, outputSchema, ...ours } = metadata;
  return {
    name,
    title: annotations.title,
    description,
    inputSchema,
    outputSchema,
    annotations,
    _meta: { [META.metadata]: ours },
  };
}

/** A peer's list may hold this many tools; more is not a tool list but an attack on our memory. */
const MAX_TOOLS = 256;

/**
 * Reads a peer's `tools/list` answer. A tool without our metadata (another implementation) gets careful defaults.
 * @throws `protocol_error`
 */
export function fromMcpToolList(result: unknown): ToolMetadata[] {
  const tools = isObject(result) ? result['tools'] : undefined;
  if (!Array.isArray(tools) || tools.length > MAX_TOOLS) throw broken('tools/list');
  return tools.map(fromMcpTool);
}

/** the original's names are read, never written */
const RUNTIME_ALIASES: Readonly<Record<string, ToolMetadata['runtime'] | undefined>> = {
  mesh: 'mesh',
  trio: 'mesh',
  relay: 'relay',
  fastapi: 'relay',
};

const DEFAULT_TIMEOUT_MS = 30_000;

function fromMcpTool(tool: unknown): ToolMetadata {
  if (!isObject(tool) || typeof tool['name'] !== 'string' || !isObject(tool['inputSchema'])) throw broken('tools/list');
  const wrapped = isObject(tool['_meta']) ? tool['_meta'][META.metadata] : undefined;
  const meta: Record<string, unknown> = isObject(wrapped) ? wrapped : {};
  const annotations = isObject(tool['annotations']) ? tool['annotations'] : {};
  const flag = (name: string, fallback: boolean) =>
    typeof annotations[name] === 'boolean' ? annotations[name] : fallback;
  const text = (value: unknown, fallback: string) => (typeof value === 'string' ? value : fallback);
  const number = (value: unknown, fallback: number) =>
    typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : fallback;
  const access = meta['access'];
  const runtime = RUNTIME_ALIASES[String(meta['runtime'])];
  return {
    name: tool['name'],
    category: text(meta['category'], 'other'),
    description: text(tool['description'], ''),
    runtime: runtime ?? 'auto',
    access: access === 'read' || access === 'compute' || access === 'write' ? access : 'admin',
    annotations: {
      title: text(annotations['title'] ?? tool['title'], tool['name']),
      readOnlyHint: flag('readOnlyHint', false),
      destructiveHint: flag('destructiveHint', true),
      idempotentHint: flag('idempotentHint', false),
      openWorldHint: flag('openWorldHint', true),
    },
    inputSchema: tool['inputSchema'],
    outputSchema: isObject(tool['outputSchema']) ? tool['outputSchema'] : { type: 'object' },
    priority: Math.min(10, number(meta['priority'], 5)),
    timeoutMs: number(meta['timeoutMs'], DEFAULT_TIMEOUT_MS),
    schemaVersion: text(meta['schemaVersion'], '1.0'),
  };
}

/** A tool's answer as `tools/call` returns it. */
export function toMcpResult(value: unknown, structuredOnly: boolean): Record<string, unknown> {
  return {
    content: structuredOnly ? [] : [{ type: 'text', text: JSON.stringify(value) }],
    structuredContent: value,
  };
}

/** A failed call as `tools/call` returns it: readable for a model, exact for a program. */
export function toMcpFailure(error: WireError): Record<string, unknown> {
  const text = error.hint === null ? error.message : `${error.message}\n${error.hint}`;
  return { content: [{ type: 'text', text }], isError: true, _meta: { [META.error]: error } };
}

/** The value of a `tools/call` result. @throws the tool's error, `protocol_error` */
export function fromMcpResult(result: unknown): unknown {
  if (!isObject(result)) throw broken('tools/call');
  if (result['isError'] === true) {
    const meta = isObject(result['_meta']) ? result['_meta'][META.error] : undefined;
    if (isWireError(meta)) throw fromPeer(meta);
    throw new TabmeshError('tool_failed', textOf(result['content']));
  }
  if ('structuredContent' in result) return result['structuredContent'];
  return { text: textOf(result['content']) };
}

/** The principal a relay vouches for, when the call carries one. */
export function principalOf(params: Record<string, unknown>): Extract<Principal, { kind: 'token' }> | null {
  const meta = params['_meta'];
  const principal = isObject(meta) ? meta[META.principal] : undefined;
  if (!isObject(principal) || principal['kind'] !== 'token') return null;
  const { tokenId, name, relay } = principal;
  if (typeof tokenId !== 'string' || typeof name !== 'string' || typeof relay !== 'string') return null;
  return { kind: 'token', tokenId, name, relay: relay as Extract<Principal, { kind: 'token' }>['relay'] };
}

/** True for a plain JSON object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(content: unknown): string {
  if (!Array.isArray(content)) return '';
  return content.map((block) => (isObject(block) && typeof block['text'] === 'string' ? block['text'] : '')).join('\n');
}

function broken(method: string): TabmeshError {
  return new TabmeshError('protocol_error', `the peer's answer to ${method} is not what MCP says`);
}
