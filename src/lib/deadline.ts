import { runAfter, type Clock } from './clock.ts';
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

/** Starts a {@link Deadline}. An already aborted `signal` gives an already aborted deadline. */
export function startDeadline({ clock, ms, what, signal }: DeadlineOptions): Deadline {
  const endsAt = clock.now() + ms;
  let reason: TabmeshError | undefined;
  // made when somebody asks for it: a signal and its events cost more than all else here
  let controller: AbortController | undefined;
  const racing = new Set<(error: TabmeshError) => void>();
  const end = (error: TabmeshError) => {
    if (reason !== undefined) return;
    reason = error;
    controller?.abort(error);
    for (const lose of racing) lose(error);
    racing.clear();
  };
  const onCallerAbort = () => {
    end(toTabmeshError(signal?.reason, 'cancelled'));
  };
  if (signal?.aborted === true) onCallerAbort();
  else signal?.addEventListener('abort', onCallerAbort, { once: true });
  const stopTimer = runAfter(clock, ms, () => {
    end(timeoutError(what, ms));
  });
  return {
    get signal() {
      if (controller === undefined) {
        controller = new AbortController();
        if (reason !== undefined) controller.abort(reason);
      }
      return controller.signal;
    },
    reason: () => reason,
    remaining: () => Math.max(0, endsAt - clock.now()),
    race<T>(work: Promise<T>) {
      return new Promise<T>((resolve, reject) => {
        if (reason !== undefined) reject(reason);
        else racing.add(reject);
        void work.then(resolve, reject).finally(() => {
          racing.delete(reject);
        });
      });
    },
    dispose() {
      stopTimer();
      signal?.removeEventListener('abort', onCallerAbort);
    },
  };
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
