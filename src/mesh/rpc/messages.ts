import type { WireError } from '../../lib/errors.ts';
import { TabmeshError } from '../../lib/errors.ts';
import { fromEnvelope, isEnvelope } from './envelope.ts';
import type { RpcError, RpcMessage, RpcNotification, RpcRequest, RpcResponse } from './json-rpc.ts';
import { refusal } from './tokens.ts';

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads one frame's payload: JSON-RPC 2.0, or the same in an envelope.
 * @throws `protocol_error` for anything else
 */
export function decodeMessage(payload: Uint8Array): RpcMessage {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(payload));
  } catch (cause) {
    throw refusal('payload_not_object', 'the frame is not UTF-8 JSON', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw broken('the frame is not a JSON object');
  const read = value as Record<string, unknown>;
  const message = isEnvelope(read) ? fromEnvelope(read) : read;
  if (message['jsonrpc'] !== '2.0') throw broken('not a JSON-RPC 2.0 message');
  return 'method' in message ? checkAsk(message) : checkResponse(message);
}

function checkAsk(message: Record<string, unknown>): RpcRequest | RpcNotification {
  const { id, params, method } = message;
  if (typeof method !== 'string') throw broken('the method is not a string');
  if (params !== undefined && (typeof params !== 'object' || params === null || Array.isArray(params))) {
    throw broken('params is not an object');
  }
  if ('id' in message && !isId(id)) throw broken('the id is neither a number nor a string');
  return message as unknown as RpcRequest | RpcNotification;
}

function checkResponse(message: Record<string, unknown>): RpcResponse {
  const { id, error } = message;
  if (!isId(id) && id !== null) throw refusal('response_missing_id', 'a response without an id');
  const failed = error !== undefined;
  // neither is an empty success, and both at once are no answer
  if (failed === 'result' in message) throw broken('a response with neither or both of result and error');
  if (failed ? !isRpcError(error) : id === null) throw broken('a response that is not what JSON-RPC says');
  return message as unknown as RpcResponse;
}

const isId = (value: unknown): value is number | string => typeof value === 'number' || typeof value === 'string';

function isRpcError(value: unknown): value is RpcError {
  if (typeof value !== 'object' || value === null) return false;
  const error = value as Record<string, unknown>;
  return typeof error['code'] === 'number' && typeof error['message'] === 'string';
}

function broken(what: string): TabmeshError {
  return refusal('payload_not_object', what);
}

/**
 * An error that a peer sent. `details.sent` speaks of one hop and is only ever ours to say: a peer that has answered has
 * received the request.
 */
export function fromPeer(wire: WireError): TabmeshError {
  const { sent: _, ...details } = wire.details;
  return TabmeshError.fromWire({ ...wire, details });
}
