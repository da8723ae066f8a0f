/** How the log grows, and what goes first. */
export interface AuditLimits {
  /** then a new file is begun */
  readonly fileBytes: number;
  /** of all files; the oldest go */
  readonly totalBytes: number;
  /** of a file that is not written to any more, ms */
  readonly maxAgeMs: number;
  /** records that wait to be written; more are counted and left out */
  readonly queue: number;
  /** records that are written at once at most */
  readonly batch: number;
  /** records are written together, this long after the first of them, ms */
  readonly batchMs: number;
}

export const AUDIT_LIMITS: AuditLimits = {
  // some 15,000 calls; small enough to be read whole
  fileBytes: 8 * 1024 * 1024,
  // a quarter of a million calls
  totalBytes: 128 * 1024 * 1024,
  // what a yearly review looks back to, and then some
  maxAgeMs: 400 * 24 * 60 * 60 * 1000,
  // two seconds of all that a relay can serve
  queue: 20_000,
  // a few milliseconds of hashing, in which no call is served
  batch: 512,
  // one write and one sync for all calls of this time
  batchMs: 50,
};

/** Entries that one question is answered with at most. */
export const MAX_AUDIT_ENTRIES = 500;
