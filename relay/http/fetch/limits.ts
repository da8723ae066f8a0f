import { MAX_ANSWER_BYTES } from '../../../src/peer/fetch/read-body.ts';

/** Bounds of one request to a service. */
export interface FetchLimits {
  /** of the body after decompression */
  readonly maxBytes: number;
  /** from the request to the last byte */
  readonly totalMs: number;
  readonly connectMs: number;
  /** silence: before the headers, or between two pieces of the body */
  readonly idleMs: number;
}

export const FETCH_LIMITS: FetchLimits = {
  maxBytes: MAX_ANSWER_BYTES,
  totalMs: 60_000,
  connectMs: 10_000,
  // NCBI takes up to 20 s for a large efetch before the first byte
  idleMs: 30_000,
};

/**
 * So many bytes over the limit an answer without a length is still passed on: whoever reads it has the same limit, and must
 * reach it, which is a typed error, before the connection breaks, which is none.
 */
export const PASSED_OVER_LIMIT_BYTES = 1024 * 1024;

/** The services themselves never redirect more than twice. */
export const MAX_REDIRECTS = 5;
/** Connections to one service at once: what they all accept from one address. */
export const CONNECTIONS_PER_ORIGIN = 8;
