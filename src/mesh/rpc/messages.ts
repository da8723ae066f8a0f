import type { WireError } from '../../lib/errors.ts';
import { TabmeshError } from '../../lib/errors.ts';

/** JSON-RPC 2.0 messages as MCP uses them (no batches). */
export interface RpcRequest {
  readonly jsonrpc: '2.0';
  readonly id: number | string;
  readonly method: string;
  readonly params?: Record<string, unknown>;
}

export interface RpcNotification {
  readonly jsonrpc: '2.0';
  readonly method: string;
  readonly params?: Record<string, unknown>;
}

export type RpcResponse =
  | { readonly jsonrpc: '2.0'; readonly id: number | string; readonly result: unknown }
  | { readonly jsonrpc: '2.0'; readonly id: number | string | null; readonly error: RpcError };

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

export type RpcMessage = RpcRequest | RpcNotification | RpcResponse;

/** JSON-RPC 2.0 and MCP error numbers. */
export const RPC_CODES = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  /** execution failures; `data` is a WireError */
  execution: -32000,
} as const;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** UTF-8 JSON of a message. */
export function encodeMessage(message: RpcMessage): Uint8Array {
  return encoder.encode(JSON.stringify(message));
}

/**
 * Reads one frame's payload.
 * @throws `protocol_error` for anything that is not one JSON-RPC 2.0 message
 */
export function decodeMessage(payload: Uint8Array): RpcMessage {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(payload));
  } catch (cause) {
    throw broken('the frame is not UTF-8 JSON', 'payload_not_object', cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw broken('the frame is not a JSON object', 'payload_not_object');
  }
  const message = value as Record<string, unknown>;
  if (message['jsonrpc'] !== '2.0') throw broken('not a JSON-RPC 2.0 message', 'payload_not_object');
  const id = message['id'];
  const hasId = typeof id === 'number' || typeof id === 'string';
  if (typeof message['method'] === 'string') {
    const params = message['params'];
    if (params !== undefined && (typeof params !== 'object' || params === null || Array.isArray(params))) {
      throw broken('params is not an object', 'payload_not_object');
    }
    if (id !== undefined && !hasId) throw broken('the id is neither a number nor a string', 'payload_not_object');
    return message as unknown as RpcRequest | RpcNotification;
  }
  if (!hasId && id !== null) throw broken('a response without an id', 'response_missing_id');
  if (!('result' in message) && !isRpcError(message['error'])) {
    throw broken('a response with neither result nor error', 'payload_not_object');
  }
  return message as unknown as RpcResponse;
}

function isRpcError(value: unknown): value is RpcError {
  if (typeof value !== 'object' || value === null) return false;
  const error = value as Record<string, unknown>;
  return typeof error['code'] === 'number' && typeof error['message'] === 'string';
}

function broken(what: string, token: string, cause?: unknown): TabmeshError {
  return new TabmeshError('protocol_error', what, { details: { token }, cause });
}

/**
 * An error that a peer sent. `details.sent` speaks of one hop and is only ever ours to say: a peer that has answered has
 * received the request.
 */
export function fromPeer(wire: WireError): TabmeshError {
  const { sent: _, ...details } = wire.details;
  return TabmeshError.fromWire({ ...wire, details });
}
