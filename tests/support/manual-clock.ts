import type { Clock } from '../../src/lib/clock.ts';

/** A clock that stands still until it is told to go on. */
export interface ManualClock extends Clock {
  /** Moves time on by `ms`, waking every sleeper in order and letting what they woke run. */
  advance(ms: number): Promise<void>;
  /** how many wait for time to pass */
  sleepers(): number;
}

/** Lets everything run that waits for promises only. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export function manualClock(start = 1_000_000): ManualClock {
  let now = start;
  const waiting = new Set<{ at: number; wake: () => void }>();
  return {
    now: () => now,
    sleepers: () => waiting.size,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) {
          reject(signal.reason as Error);
          return;
        }
        const sleeper = { at: now + ms, wake: resolve };
        waiting.add(sleeper);
        signal?.addEventListener('abort', () => {
          waiting.delete(sleeper);
          reject(signal.reason as Error);
        });
      }),
    async advance(ms) {
      const until = now + ms;
      await settle();
      for (;;) {
        const next = [...waiting].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
        if (next === undefined) break;
        now = Math.max(now, next.at);
        waiting.delete(next);
        next.wake();
        await settle();
      }
      now = until;
    },
  };
}
