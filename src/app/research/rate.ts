/**
 * How far back the rate looks, ms: long enough to even out a service that answers in batches every few seconds, short
 * enough to show a stall within half a minute.
 */
export const RATE_WINDOW_MS = 20_000;
/** No rate from less than this, ms: a first batch alone says nothing. */
const MIN_SPAN_MS = 1_000;

interface Sample {
  readonly at: number;
  readonly done: number;
}

/** Items per second over a sliding window, from progress reports that come at any pace. */
export class RateMeter {
  #samples: Sample[];

  /** @param startedAt ms since the epoch, when nothing was done yet */
  constructor(startedAt: number) {
    this.#samples = [{ at: startedAt, done: 0 }];
  }

  /** Notes that `done` items were finished at `at` (ms since the epoch). Reports that go back in time are dropped. */
  add(at: number, done: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && (at < last.at || done <= last.done)) return;
    this.#samples.push({ at, done });
    const horizon = at - RATE_WINDOW_MS;
    // the newest sample from before the window stays: it is what the window counts from
    const first = this.#samples.findLastIndex((sample) => sample.at <= horizon);
    if (first > 0) this.#samples = this.#samples.slice(first);
  }

  /**
   * @param now ms since the epoch; time without a report lowers the rate
   * @returns items per second; null while there is too little to tell
   */
  perSecond(now: number): number | null {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.done === first.done) return null;
    const span = Math.max(now, last.at) - first.at;
    return span < MIN_SPAN_MS ? null : (last.done - first.done) / (span / 1000);
  }
}

/**
 * Time still needed at the present rate.
 * @returns ms; null while total or rate are unknown
 */
export function remainingMs(done: number, total: number | null, perSecond: number | null): number | null {
  if (total === null || perSecond === null || perSecond <= 0) return null;
  return (Math.max(0, total - done) / perSecond) * 1000;
}
