/** JSON-RPC 2.0 messages as MCP uses them (no batches). */
export interface RpcRequest {
  readonly jsonrpc: '2.0';
  readonly id: number | string;
  readonly method: string;
  readonly params?: Record<string, unknown>;
  /** ours: it came in the other form, and is answered in it */
  readonly envelope?: true;
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
  /** MCP 2026-07-28: `data.supported` lists the revisions that are */
  unsupportedVersion: -32022,
} as const;
