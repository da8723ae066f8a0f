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
  // ten times a full page of PubMed records
  maxBytes: 25 * 1024 * 1024,
  totalMs: 60_000,
  connectMs: 10_000,
  // NCBI takes up to 20 s for a large efetch before the first byte
  idleMs: 30_000,
};

/** The services themselves never redirect more than twice. */
export const MAX_REDIRECTS = 5;
/** Connections to one service at once: what they all accept from one address. */
export const CONNECTIONS_PER_ORIGIN = 8;
