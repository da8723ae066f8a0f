/** Limits on what one member may ask of us over `/mcp+p2p/1.0.0`. */
export interface RpcQuotas {
  /** messages at once, and per second after that */
  readonly messageBurst: number;
  readonly messagesPerSecond: number;
  readonly inFlight: number;
  readonly bytesPerSecond: number;
}

/**
 * Members work together: the bounds stop a runaway loop, not a busy pipeline. Strangers never get this far (their
 * connection is not proven), so there is no second set here.
 */
export const MEMBER_QUOTAS: RpcQuotas = {
  messageBurst: 5_000,
  messagesPerSecond: 5_000,
  inFlight: 64,
  bytesPerSecond: 64 * 1024 * 1024,
};
