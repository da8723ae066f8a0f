import type { ErrorCode } from '../../lib/errors.ts';
import { TabmeshError } from '../../lib/errors.ts';
import { RPC_CODES } from './json-rpc.ts';

/** Which of our codes a JSON-RPC code is, as far as it tells. */
const CODES: Readonly<Record<number, ErrorCode | undefined>> = {
  [RPC_CODES.methodNotFound]: 'unsupported',
  [RPC_CODES.invalidParams]: 'invalid_input',
  [RPC_CODES.unsupportedVersion]: 'version_mismatch',
};

/**
 * An error whose JSON-RPC code and data a client acts on, e.g. −32021 with the capabilities that it lacks. They travel in
 * `details`, so that they arrive over any number of hops as they left.
 */
export function mcpError(rpcCode: number, message: string, rpcData?: unknown): TabmeshError {
  return new TabmeshError(CODES[rpcCode] ?? 'protocol_error', message, {
    details: { rpcCode, ...(rpcData === undefined ? {} : { rpcData }) },
  });
}

/** MCP 2026-07-28, server/resources: no such resource, with its URI as data. */
export function resourceNotFound(uri: string): TabmeshError {
  return new TabmeshError('not_found', `there is no resource ${uri}`, {
    hint: 'resources/list and resources/templates/list show what there is.',
    details: { rpcCode: RPC_CODES.invalidParams, rpcData: { uri } },
  });
}

/** Code and data of the JSON-RPC error that an error is, to a client of MCP. */
export function toRpcError(error: TabmeshError): { readonly code: number; readonly data: unknown } {
  const { rpcCode, rpcData } = error.details;
  if (typeof rpcCode === 'number') return { code: rpcCode, data: rpcData ?? error.toWire() };
  return { code: CODE_OF[error.code] ?? RPC_CODES.internal, data: error.toWire() };
}

const CODE_OF: Partial<Readonly<Record<ErrorCode, number>>> = {
  invalid_input: RPC_CODES.invalidParams,
  unknown_tool: RPC_CODES.invalidParams,
  not_found: RPC_CODES.invalidParams,
  unsupported: RPC_CODES.methodNotFound,
};
