import type { WireError } from '../../../src/lib/errors.ts';

/** A JSON-RPC error that answers no particular request, as HTTP. */
export function jsonRpcError(status: number, code: number, message: string, data?: WireError): Response {
  return Response.json({ jsonrpc: '2.0', error: { code, message, ...(data && { data }) }, id: null }, { status });
}
