/** Most hits of one answer: beyond it a better query helps more than more hits. */
export const MAX_TOP_K = 100;
/** What fits on a screen, and into a model's attention. */
export const DEFAULT_TOP_K = 10;
/** One shard is scanned in well under a second; the rest is for a slow link. */
export const SHARD_TIMEOUT_MS = 10_000;
