import { ProtocolError } from '@modelcontextprotocol/server';
import type { TabmeshError } from '../../../src/lib/errors.ts';
import { toRpcError } from '../../../src/mesh/rpc/mcp-error.ts';

/** An error of ours in the form that the SDK sends as a JSON-RPC error. */
export function protocolError(error: TabmeshError): ProtocolError {
  const { code, data } = toRpcError(error);
  return new ProtocolError(code, error.message, data);
}
