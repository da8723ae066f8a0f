/** Limits on what one peer may ask of us. */
export interface RpcQuotas {
  /** streams open at once */
  readonly streams: number;
  /** requests running at once */
  readonly inFlight: number;
  /** messages at once, and per second after that */
  readonly messageBurst: number;
  readonly messagesPerSecond: number;
  readonly bytesPerSecond: number;
  /** bytes of frames that have begun and not ended, over all streams */
  readonly bufferedBytes: number;
}

/** Of all the streams of a peer; MCP++ Profile E. */
const STREAMS = 32;
const IN_FLIGHT = 64;

/**
 * Over `/mcp+p2p/1.0.0`. Members work together: the bounds stop a runaway loop, not a busy pipeline. A pipeline of calls of a
 * millisecond makes a thousand messages a second; four frames of the largest size may be on their way at once.
 */
export const MEMBER_QUOTAS: RpcQuotas = {
  streams: STREAMS,
  inFlight: IN_FLIGHT,
  messageBurst: 5_000,
  messagesPerSecond: 5_000,
  bytesPerSecond: 64 * 1024 * 1024,
  bufferedBytes: 64 * 1024 * 1024,
};

/**
 * On a connection that has not proven membership: the reference quotas of MCP++ Profile E. A stranger never gets to call
 * anything; these hold for what he may say, the messages of a join or of an epoch's exchange.
 */
export const STRANGER_QUOTAS: RpcQuotas = {
  streams: STREAMS,
  inFlight: IN_FLIGHT,
  messageBurst: 100,
  messagesPerSecond: 50,
  bytesPerSecond: 16 * 1024 * 1024,
  bufferedBytes: 1024 * 1024,
};
