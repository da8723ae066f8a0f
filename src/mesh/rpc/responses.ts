import { isWireError, TabmeshError } from '../../lib/errors.ts';
import { toEnvelope } from './envelope.ts';
import type { RpcError, RpcRequest, RpcResponse } from './json-rpc.ts';
import { RPC_CODES } from './json-rpc.ts';
import { fromPeer } from './messages.ts';
import type { ProtocolToken } from './tokens.ts';
import { failsClosed, handlerName, tokenOf } from './tokens.ts';

/** JSON-RPC's numbers for tokens; the others are failures of execution. */
const CODE_OF: Partial<Readonly<Record<ProtocolToken, number>>> = {
  payload_not_object: RPC_CODES.parse,
  response_missing_id: RPC_CODES.invalidRequest,
  declared_frame_too_large: RPC_CODES.invalidRequest,
  init_required: RPC_CODES.invalidRequest,
  duplicate_in_flight_id: RPC_CODES.invalidRequest,
  duplicate_frame: RPC_CODES.invalidRequest,
  method_not_found: RPC_CODES.methodNotFound,
  unsupported_version: RPC_CODES.unsupportedVersion,
};

/** The answer's text, in the form in which the request came. */
export function encodeResponse(response: RpcResponse, request: RpcRequest): string {
  return JSON.stringify(request.envelope === true ? toEnvelope(response) : response);
}

/** A failure as an answer. @param id null when no request can be named: then it is the last word on the stream */
export function errorResponse(id: number | string | null, error: TabmeshError): RpcResponse {
  const { rpcCode } = error.details;
  const token = tokenOf(error);
  const fallback = token === undefined ? RPC_CODES.execution : (CODE_OF[token] ?? RPC_CODES.execution);
  const code = typeof rpcCode === 'number' ? rpcCode : fallback;
  // the older handler's clients look for its name in the message
  const message = token !== undefined && failsClosed(error) ? handlerName(token) : error.message;
  return { jsonrpc: '2.0', id, error: { code, message, data: error.toWire() } };
}

/** An answer's failure as an error of ours. */
export function fromRpcError(error: RpcError): TabmeshError {
  if (isWireError(error.data)) return fromPeer(error.data);
  const code =
    error.code === RPC_CODES.methodNotFound
      ? 'unsupported'
      : error.code === RPC_CODES.invalidParams
        ? 'invalid_input'
        : 'protocol_error';
  const { data } = error;
  return new TabmeshError(code, error.message, {
    details: { rpcCode: error.code, ...(data === undefined ? {} : { rpcData: data }) },
  });
}
