/** Time as a dependency, so that tests decide what "later" means. */
export interface Clock {
  /** milliseconds since the Unix epoch */
  now(): number;
  /** resolves after `ms` milliseconds; rejects with `signal.reason` when aborted first */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /**
   * Runs `action` after `ms` milliseconds; returns what takes it back. For a clock that has something cheaper than a
   * `sleep` with a signal: most time limits are set and taken back thousands of times a second.
   */
  after?(ms: number, action: () => void): () => void;
  /** Milliseconds with fractions from some moment on, which no change of the system's time disturbs: for measuring. */
  monotonic?(): number;
}

/** {@link Clock.monotonic}, or the next best that the clock has. */
export function monotonicNow(clock: Clock): number {
  return clock.monotonic === undefined ? clock.now() : clock.monotonic();
}

/** {@link Clock.after} by whatever means the clock has. */
export function runAfter(clock: Clock, ms: number, action: () => void): () => void {
  if (clock.after !== undefined) return clock.after(ms, action);
  const taken = new AbortController();
  // it rejects only because it was taken back
  clock.sleep(ms, taken.signal).then(action, () => undefined);
  return () => {
    taken.abort();
  };
}

/** The real clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, action) => {
    const timer = setTimeout(action, ms);
    return () => {
      clearTimeout(timer);
    };
  },
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(abortReason(signal));
        return;
      }
      const onAbort = () => {
        clearTimeout(timer);
        reject(abortReason(signal));
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, ms);
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
};

function abortReason(signal: AbortSignal | undefined): Error {
  return signal?.reason instanceof Error ? signal.reason : new DOMException('aborted', 'AbortError');
}
