import { toTabmeshError } from '../lib/errors.ts';

/**
 * Lets one task through at a time, in the order of asking. In a browser all tabs of a profile share one network address
 * and so one allowance at a service: there the gate spans the tabs. In a single process it is {@link createProcessGate}.
 */
export interface RequestGate {
  /**
   * Runs `task` when it is its turn and keeps the gate until the task settles.
   * @param signal leaves the line while waiting; a task that has begun watches the signal itself
   * @returns what the task returns
   * @throws `cancelled` or `timeout` when the signal fires while waiting; what the task throws
   */
  run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

/** A gate for the code of one process (or one worker). */
export function createProcessGate(): RequestGate {
  let last: Promise<unknown> = Promise.resolve();
  return {
    run(task, signal) {
      const before = last;
      const mine = (async () => {
        await waitUnlessAborted(before, signal);
        return task();
      })();
      // whoever leaves the line early must not let the next one in before its turn
      last = Promise.allSettled([before, mine]);
      return mine;
    },
  };
}

async function waitUnlessAborted(turn: Promise<unknown>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw toTabmeshError(signal.reason, 'cancelled');
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      reject(toTabmeshError(signal.reason, 'cancelled'));
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    await Promise.race([turn, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
