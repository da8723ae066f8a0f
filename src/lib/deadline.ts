import type { Clock } from './clock.ts';
import { TabmeshError, toTabmeshError } from './errors.ts';

export interface DeadlineOptions {
  readonly clock: Clock;
  /** milliseconds from now */
  readonly ms: number;
  /** what is being waited for, as the timeout error names it */
  readonly what: string;
  /** the caller's own wish to stop */
  readonly signal?: AbortSignal | undefined;
}

/** The end of a piece of work: its time limit and its caller's cancellation in one signal. */
export interface Deadline {
  /** aborted with a TabmeshError as its reason: `timeout`, or `cancelled` */
  readonly signal: AbortSignal;
  /** the error that ended the work, once it is over */
  reason(): TabmeshError | undefined;
  /** milliseconds left, never below 0 */
  remaining(): number;
  /** settles as `work` does, or rejects with the reason as soon as the signal fires, even if `work` ignores it */
  race<T>(work: Promise<T>): Promise<T>;
  /** stops the timer and lets go of the caller's signal; must be called when the work has ended */
  dispose(): void;
}

/** Made once: an `abort()` without a reason makes a DOMException with a stack, on every call. */
const ENDED = new Error('the work ended in time');

/** Starts a {@link Deadline}. An already aborted `signal` gives an already aborted deadline. */
export function startDeadline({ clock, ms, what, signal }: DeadlineOptions): Deadline {
  const endsAt = clock.now() + ms;
  const controller = new AbortController();
  const timer = new AbortController();
  let reason: TabmeshError | undefined;
  const end = (error: TabmeshError) => {
    if (reason !== undefined) return;
    reason = error;
    controller.abort(error);
  };
  const onCallerAbort = () => {
    end(toTabmeshError(signal?.reason, 'cancelled'));
  };
  if (signal?.aborted === true) onCallerAbort();
  else signal?.addEventListener('abort', onCallerAbort, { once: true });
  clock.sleep(ms, timer.signal).then(
    () => {
      end(timeoutError(what, ms));
    },
    // the sleep rejects only because `dispose` stopped it: the work ended in time
    () => undefined,
  );
  return {
    signal: controller.signal,
    reason: () => reason,
    remaining: () => Math.max(0, endsAt - clock.now()),
    race: (work) => raceSignal(work, controller.signal),
    dispose() {
      timer.abort(ENDED);
      signal?.removeEventListener('abort', onCallerAbort);
    },
  };
}

function raceSignal<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => {
      reject(toTabmeshError(signal.reason));
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    void work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', onAbort);
    });
  });
}

function timeoutError(what: string, ms: number): TabmeshError {
  return new TabmeshError('timeout', `${what} did not finish within ${readableDuration(ms)}`, {
    hint: 'Try again, or allow it more time.',
    retryable: true,
    details: { timeoutMs: ms },
  });
}

function readableDuration(ms: number): string {
  if (ms < 1000) return `${String(Math.round(ms))} ms`;
  if (ms < 60_000) return `${String(Math.round(ms / 100) / 10)} s`;
  return `${String(Math.round(ms / 6000) / 10)} min`;
}
