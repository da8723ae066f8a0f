import type { RpcResponse } from './json-rpc.ts';
import { RPC_CODES } from './json-rpc.ts';

/**
 * MCP++ Profile E lets a frame carry JSON-RPC as it is, or an envelope of its own:
 * `{type, method, params, id, result, error, sender, timestamp}`. We speak the first and understand both. Who asked in an
 * envelope is answered in one.
 */
const TYPES: ReadonlySet<unknown> = new Set(['request', 'response', 'notification', 'event']);

/** True for the other form of a message. */
export function isEnvelope(value: Readonly<Record<string, unknown>>): boolean {
  return value['jsonrpc'] === undefined && TYPES.has(value['type']);
}

/** The envelope's content as JSON-RPC. Its fields are checked afterwards, like those of any message. */
export function fromEnvelope(envelope: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { type, method, params, id, result, error } = envelope;
  const jsonrpc = '2.0';
  if (type === 'response') {
    return error === undefined || error === null
      ? { jsonrpc, id, result: result ?? null }
      : {
          jsonrpc,
          id,
          error: { code: RPC_CODES.execution, message: typeof error === 'string' ? error : JSON.stringify(error) },
        };
  }
  const given = params === undefined || params === null ? {} : { params };
  return type === 'request' ? { jsonrpc, id, method, ...given, envelope: true } : { jsonrpc, method, ...given };
}

/** A response in the form of an envelope. */
export function toEnvelope(response: RpcResponse): Record<string, unknown> {
  const { id } = response;
  return 'error' in response
    ? { type: 'response', id, error: response.error.message, data: response.error.data }
    : { type: 'response', id, result: response.result };
}
