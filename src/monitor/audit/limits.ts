/** How a log grows, and what goes first. */
export interface AuditLimits {
  /** then a new segment is begun */
  readonly segmentBytes: number;
  /** of all segments; the oldest go */
  readonly totalBytes: number;
  /** of a segment that is not written to any more, ms */
  readonly maxAgeMs: number;
  /** calls that wait to be written; more are counted and left out */
  readonly queue: number;
  /** records that are written at once at most */
  readonly batch: number;
  /** records are written together, this long after the first of them, ms */
  readonly batchMs: number;
}

/** What a yearly review looks back to, and then some, ms. */
const MAX_AGE_MS = 400 * 24 * 60 * 60 * 1000;

/** Of a log in files. */
export const FILE_AUDIT_LIMITS: AuditLimits = {
  // some 15,000 calls; small enough to be read whole
  segmentBytes: 8 * 1024 * 1024,
  // a quarter of a million calls
  totalBytes: 128 * 1024 * 1024,
  maxAgeMs: MAX_AGE_MS,
  // two seconds of all that a relay can serve
  queue: 20_000,
  // a few milliseconds of hashing, in which no call is served
  batch: 512,
  // one write and one sync for all calls of this time
  batchMs: 50,
};

/** Of a log in a tab, whose disk is the browser's and whose thread draws the page. */
export const TAB_AUDIT_LIMITS: AuditLimits = {
  // some hundred calls: what is read, hashed and deleted in one go
  segmentBytes: 64 * 1024,
  // some 18,000 calls
  totalBytes: 8 * 1024 * 1024,
  maxAgeMs: MAX_AGE_MS,
  // with some hundred bytes each, and arguments hashed already, a megabyte
  queue: 2_000,
  // two milliseconds of hashing: a frame has sixteen
  batch: 128,
  // what a crash may cost; a page that is closed writes what waits
  batchMs: 1_000,
};

/** Entries that one question is answered with at most. */
export const MAX_AUDIT_ENTRIES = 500;

/** Calls of one caller that are written down one by one: so many at once, and so many a second from then on. */
export const ONE_BY_ONE = { burst: 1_000, perSecond: 20 } as const;

/** Callers whose pace is remembered; the one that has been quiet longest is forgotten. */
export const MAX_CALLERS = 512;

/** Kinds of calls that are added up at a time; with more, some are counted as left out. */
export const MAX_SUMS = 256;
