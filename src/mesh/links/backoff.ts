/** First wait after a failure: long enough not to hammer a relay that restarts, short enough to feel immediate. */
export const BACKOFF_MIN_MS = 500;
/** Longest wait: somebody who looks at the page again should not have to reload it. */
export const BACKOFF_MAX_MS = 15_000;

/**
 * Exponential backoff with full jitter below the second half, so that a room's peers do not come back in step.
 * @param attempt failures so far, from 1
 * @param random uniform in [0, 1)
 * @returns milliseconds
 */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** Math.min(attempt - 1, 16));
  return Math.round(ceiling / 2 + (ceiling / 2) * random());
}
