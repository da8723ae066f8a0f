import type { IncomingHttpHeaders } from 'node:http';
import type { McpObject } from '../../../src/contracts/mcp.ts';
import { isObject } from '../../../src/mesh/rpc/mcp-wire.ts';
import type { ShownTool } from './front.ts';

const REVISION = '2026-07-28';
const META = 'io.modelcontextprotocol/';
/** Keys of `_meta` that ask for messages before the answer, which make it a stream. */
const STREAMING = ['progressToken', `${META}logLevel`] as const;
/** A tool's parameter that is repeated in a header of its own (MCP 2026-07-28, transports, "Custom Headers from Tool Parameters"). */
const HEADER_PARAMETER = '"x-mcp-header"';
/** What header values can carry as it is: visible ASCII (RFC 9110 §5.5), without the marker of an encoded one. */
const PLAIN_NAME = /^(?!=\?)[\x21-\x7e]+$/;

/** Kinds of clients that are remembered: each program in each version is one. */
const MAX_CLIENTS = 256;
/** What a client says of itself beyond this is not worth remembering, characters. */
const MAX_CLIENT_CHARS = 2_048;

/** A `tools/call` that needs one answer and nothing else. */
export interface PlainCall {
  readonly id: string | number;
  readonly name: string;
  readonly params: McpObject;
}

/**
 * Tells calls that can be answered without the SDK's server, which is made anew for each request and costs several times
 * what the call does (`npm run bench gateway`). Only the plainest qualify: the newer wire, every header as it has to be, no
 * key that it does not know, no stream. What the client says of itself must have passed the SDK's checks before, word for
 * word; so a client's first call goes there, as does everything else.
 */
export class PlainCalls {
  readonly #clients = new Set<string>();
  readonly #withHeaders = new WeakMap<ShownTool, boolean>();

  /** @returns undefined when the request has to go through the SDK */
  read(body: unknown, headers: IncomingHttpHeaders): PlainCall | undefined {
    const call = plainCall(body);
    if (call === undefined) return undefined;
    const isSaidTwice =
      headers['mcp-protocol-version'] === REVISION &&
      headers['mcp-method'] === 'tools/call' &&
      headers['mcp-name'] === call.name;
    return isSaidTwice && this.#clients.has(clientOf(call.params)) ? call : undefined;
  }

  /** Whether the tool's calls need no more than {@link read} has looked at. */
  suits(tool: ShownTool | undefined): boolean {
    if (tool === undefined) return false;
    const known = this.#withHeaders.get(tool);
    if (known !== undefined) return !known;
    const found = JSON.stringify(tool.inputSchema).includes(HEADER_PARAMETER);
    this.#withHeaders.set(tool, found);
    return !found;
  }

  /** The SDK has answered this request: what its client says of itself is in order. */
  passed(body: unknown): void {
    const call = plainCall(body);
    if (call === undefined) return;
    const client = clientOf(call.params);
    if (client.length > MAX_CLIENT_CHARS || this.#clients.has(client)) return;
    for (const oldest of this.#clients) {
      if (this.#clients.size < MAX_CLIENTS) break;
      this.#clients.delete(oldest);
    }
    this.#clients.add(client);
  }
}

/** The answer to a {@link PlainCall}, as the SDK would have it (MCP 2026-07-28: result type and server on every result). */
export function plainAnswer({ id }: PlainCall, result: McpObject, serverInfo: object): string {
  const { _meta } = result;
  return JSON.stringify({
    result: {
      ...result,
      resultType: 'complete',
      _meta: { ...(isObject(_meta) ? _meta : {}), [`${META}serverInfo`]: serverInfo },
    },
    jsonrpc: '2.0',
    id,
  });
}

function plainCall(body: unknown): PlainCall | undefined {
  if (!isObject(body) || !hasOnly(body, 'jsonrpc', 'id', 'method', 'params')) return undefined;
  const { jsonrpc, id, method, params } = body;
  if (jsonrpc !== '2.0' || method !== 'tools/call') return undefined;
  if (typeof id !== 'string' && !Number.isSafeInteger(id)) return undefined;
  if (!isObject(params) || !hasOnly(params, 'name', 'arguments', '_meta')) return undefined;
  const { name, arguments: args, _meta: meta } = params;
  if (typeof name !== 'string' || !PLAIN_NAME.test(name)) return undefined;
  if ('arguments' in params && !isObject(args)) return undefined;
  if (!isObject(meta) || meta[`${META}protocolVersion`] !== REVISION) return undefined;
  if (STREAMING.some((key) => key in meta)) return undefined;
  return { id: id as string | number, name, params };
}

/** What a client says of itself with each request. */
function clientOf({ _meta }: McpObject): string {
  const meta = isObject(_meta) ? _meta : {};
  // one that is absent is left out, one that is null is not
  return JSON.stringify({ capabilities: meta[`${META}clientCapabilities`], info: meta[`${META}clientInfo`] });
}

function hasOnly(value: object, ...keys: readonly string[]): boolean {
  for (const key in value) if (!keys.includes(key)) return false;
  return true;
}
