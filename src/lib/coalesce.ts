import type { Clock } from './clock.ts';

/** An action that is run once for many requests. */
export interface Coalesced {
  /** asks for a run; it comes within the interval, together with every request until then */
  soon(): void;
  /** runs now what was asked for, if anything */
  flush(): void;
}

/**
 * Makes a {@link Coalesced}.
 * @param intervalMs from the first request to the run
 * @param signal ends it: what was asked for is not run any more
 */
export function coalesce(action: () => void, intervalMs: number, clock: Clock, signal: AbortSignal): Coalesced {
  let asked = false;
  const flush = () => {
    if (!asked) return;
    asked = false;
    action();
  };
  return {
    soon() {
      if (asked || signal.aborted) return;
      asked = true;
      // rejected only by the signal
      clock.sleep(intervalMs, signal).then(flush, () => undefined);
    },
    flush,
  };
}
