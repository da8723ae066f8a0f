import type { CallCredentials, ToolMetadata } from '../../contracts/tools.ts';
import { METADATA_DEFAULTS } from '../../contracts/tools.ts';
import { isWireError, TabmeshError } from '../../lib/errors.ts';
import type { WireError } from '../../lib/errors.ts';
import { fromPeer } from './messages.ts';
import { readToolMetadata } from './tool-metadata.ts';

/** The revision spoken on the mesh; stateless, so every request says it again. */
export const MCP_REVISION = '2026-07-28';

/** `_meta` keys of ours, in reverse-domain style as MCP asks. */
export const META = {
  /** on a tool: what MCP has no field for */
  metadata: 'tabmesh/metadata',
  /** on a tool: `optional` or `required` when a client should take its calls as tasks */
  task: 'tabmesh/task',
  /** on a call: on whose behalf, signed, when it is not the connection's own device */
  principal: 'tabmesh/principal',
  /** on a call: the handle of the approval that it was told is pending */
  approval: 'tabmesh/approval',
  /** on a call: delegation tokens */
  grants: 'tabmesh/grants',
  /** on a call: the caller reads `structuredContent` and needs no text copy of it */
  structuredOnly: 'tabmesh/structured-only',
  /** on a request over a relayed link: the name to which a large answer may be sent over another one */
  returnTo: 'tabmesh/return-to',
  /** on a notification over a shared stream: the progress token of the request that it belongs to */
  related: 'tabmesh/related',
  /** on a call: ms that its caller waits; one deadline for every hop */
  timeoutMs: 'tabmesh/timeout-ms',
  /** on a failed result: the WireError */
  error: 'tabmesh/error',
} as const;

/** `_meta` of every request on the stateless wire. */
export const REQUEST_META: Readonly<Record<string, unknown>> = {
  'io.modelcontextprotocol/protocolVersion': MCP_REVISION,
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** A tool as `tools/list` shows it. Of ours it says only what is not the default: a client pays for every word of a list. */
export function toMcpTool(metadata: ToolMetadata): Record<string, unknown> {
  const { name, description, annotations, inputSchema, outputSchema, ...all } = metadata;
  const ours = Object.fromEntries(Object.entries(all).filter(([key, value]) => value !== DEFAULTS[key]));
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

const DEFAULTS: Readonly<Record<string, unknown>> = METADATA_DEFAULTS;

/** A peer's list may hold this many tools; more is not a tool list but an attack on our memory. */
const MAX_TOOLS = 256;

/**
 * Reads a peer's `tools/list` answer. A tool without our metadata (another implementation) gets careful defaults; one whose
 * metadata cannot be taken is left out.
 * @param onRefused told why one was left out
 * @throws `protocol_error`
 */
export function fromMcpToolList(result: unknown, onRefused: (reason: TabmeshError) => void): ToolMetadata[] {
  const tools = isObject(result) ? result['tools'] : undefined;
  if (!Array.isArray(tools) || tools.length > MAX_TOOLS) throw broken('tools/list');
  return tools.flatMap((tool) => {
    try {
      return [fromMcpTool(tool)];
    } catch (error) {
      if (!(error instanceof TabmeshError) || error.code !== 'invalid_input') throw error;
      onRefused(error);
      return [];
    }
  });
}

function fromMcpTool(tool: unknown): ToolMetadata {
  if (!isObject(tool) || typeof tool['name'] !== 'string' || !isObject(tool['inputSchema'])) throw broken('tools/list');
  const meta = isObject(tool['_meta']) ? tool['_meta'] : {};
  const wrapped = meta[META.metadata];
  const annotations = isObject(tool['annotations']) ? tool['annotations'] : {};
  const flag = (name: string, fallback: boolean) =>
    typeof annotations[name] === 'boolean' ? annotations[name] : fallback;
  const text = (value: unknown, fallback: string) => (typeof value === 'string' ? value : fallback);
  return {
    ...readToolMetadata(tool['name'], isObject(wrapped) ? wrapped : {}, meta),
    name: tool['name'],
    description: text(tool['description'], ''),
    annotations: {
      title: text(annotations['title'] ?? tool['title'], tool['name']),
      readOnlyHint: flag('readOnlyHint', false),
      destructiveHint: flag('destructiveHint', true),
      idempotentHint: flag('idempotentHint', false),
      openWorldHint: flag('openWorldHint', true),
    },
    inputSchema: tool['inputSchema'],
    outputSchema: isObject(tool['outputSchema']) ? tool['outputSchema'] : { type: 'object' },
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
  if (result['resultType'] === 'input_required') {
    throw new TabmeshError('unsupported', 'the tool asks its caller first, which only a client of MCP can answer', {
      hint: 'Call it at the endpoint of that peer: /mcp/peers/ and its id.',
    });
  }
  if ('structuredContent' in result) return result['structuredContent'];
  return { text: textOf(result['content']) };
}

/** The principal that a call names, in whatever form; undefined when it names none. */
export function principalIn(params: Readonly<Record<string, unknown>>): unknown {
  const meta = params['_meta'];
  return isObject(meta) ? meta[META.principal] : undefined;
}

/** Grants that a call may carry: two chains of the longest kind. */
const MAX_GRANTS = 16;

/**
 * What a call shows besides who makes it.
 * @throws `invalid_input` when it is not of the form that the protocol has
 */
export function credentialsIn(meta: Readonly<Record<string, unknown>>): { readonly credentials?: CallCredentials } {
  const { [META.approval]: approval, [META.grants]: grants } = meta;
  if (approval === undefined && grants === undefined) return {};
  if (approval !== undefined && typeof approval !== 'string') {
    throw new TabmeshError('invalid_input', `_meta["${META.approval}"]: expected the handle as a string`);
  }
  if (grants !== undefined && !(Array.isArray(grants) && grants.length <= MAX_GRANTS)) {
    throw new TabmeshError(
      'invalid_input',
      `_meta["${META.grants}"]: expected an array of at most ${MAX_GRANTS} tokens`,
    );
  }
  return {
    credentials: { ...(approval === undefined ? {} : { approval }), ...(grants === undefined ? {} : { grants }) },
  };
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

/** What begins the `_meta` keys of ours. */
const OWN_META = 'tabmesh/';

/** Those of our keys that a client sets: what it shows besides who it is. */
const CLIENT_META: ReadonlySet<string> = new Set([META.approval, META.grants]);

/** `_meta` as it came from a client, without what only a peer may say and without the token of the hop before. */
export function clientMeta(meta: unknown): Record<string, unknown> {
  if (!isObject(meta)) return {};
  return Object.fromEntries(
    Object.entries(meta).filter(
      ([key]) => CLIENT_META.has(key) || (!key.startsWith(OWN_META) && key !== 'progressToken'),
    ),
  );
}
