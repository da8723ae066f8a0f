import type { StepProgress } from '../contracts/workflow.ts';
import type { Clock } from '../lib/clock.ts';

/**
 * Progress events of a step, ms apart at least: four a second look live to a person, and an hour of them is a few
 * thousand small writes, however often the action reports.
 */
export const PROGRESS_INTERVAL_MS = 250;

/** Thins out the progress reports of one step. */
export interface ProgressThrottle {
  /** the first report passes at once; of those within the interval the last does, when it is over */
  readonly report: (progress: StepProgress) => void;
  /** passes the last report if it has not been; later ones are dropped. @throws what `emit` threw */
  readonly finish: () => Promise<void>;
}

/**
 * @param emit records one report; reports wait for it
 * @param onFailure told when `emit` fails, since nobody waits for a report
 */
export function throttleProgress(
  clock: Clock,
  emit: (progress: StepProgress) => Promise<unknown>,
  onFailure: (thrown: unknown) => void,
): ProgressThrottle {
  const finished = new AbortController();
  let latest: StepProgress | null = null;
  let pump: Promise<void> | null = null;
  let failure: { readonly thrown: unknown } | null = null;

  const emitAll = async (): Promise<void> => {
    try {
      while (latest !== null && failure === null) {
        const next = latest;
        latest = null;
        await emit(next);
        // rejects only when the step has finished: what is left then passes without waiting
        await clock.sleep(PROGRESS_INTERVAL_MS, finished.signal).catch(() => undefined);
      }
    } catch (thrown) {
      failure = { thrown };
      onFailure(thrown);
    } finally {
      pump = null;
    }
  };

  return {
    report: (progress) => {
      if (finished.signal.aborted) return;
      latest = progress;
      pump ??= emitAll();
    },
    finish: async () => {
      finished.abort();
      await pump;
      if (failure !== null) throw failure.thrown;
    },
  };
}
