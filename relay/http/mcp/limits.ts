import { MAX_ARGUMENT_BYTES } from '../../../src/tools/limits.ts';

/**
 * Largest POST body. Arguments have a limit of their own and are refused there with a typed result; the rest is what
 * JSON escapes of such arguments may add, which at worst are six characters for one.
 */
export const MAX_BODY_BYTES = 6 * MAX_ARGUMENT_BYTES + 64 * 1024;

/** Bounds of the sessions of clients that speak the older wire. */
export interface SessionLimits {
  /** without any request running or stream open */
  readonly idleMs: number;
  /** however busy: a stream that nobody reads any more can stay open for ever */
  readonly maxAgeMs: number;
  readonly perToken: number;
  readonly total: number;
  readonly sweepMs: number;
}

export const SESSION_LIMITS: SessionLimits = {
  // clients of the older SDK do not start a new session by themselves, so a coffee break must not end theirs
  idleMs: 30 * 60 * 1000,
  maxAgeMs: 24 * 60 * 60 * 1000,
  perToken: 32,
  total: 256,
  sweepMs: 30_000,
};

/** Streams of `subscriptions/listen` in one room: as many as there may be sessions. */
export const MAX_SUBSCRIPTIONS = SESSION_LIMITS.total;

/** Tabs come and go in bursts (a reload is both): clients are told once when it is over. */
export const LIST_CHANGED_QUIET_MS = 250;

/** More often nobody can read it. */
export const PROGRESS_INTERVAL_MS = 50;
