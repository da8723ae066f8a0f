import type { Action, Json, StepDefinition, StepProgress } from '../contracts/workflow.ts';
import type { Clock } from '../lib/clock.ts';
import { startDeadline } from '../lib/deadline.ts';
import { TabmeshError, toTabmeshError } from '../lib/errors.ts';
import type { RunId } from '../lib/ids.ts';
import { throttleProgress } from './progress.ts';

/**
 * How long an action may go on after its signal fired, ms. One that looks at its signal ends within this and nothing of
 * it is left when the run ends; one that does not is left behind, its answer dropped.
 */
export const STEP_GRACE_MS = 3_000;
/** Characters of a step's result as JSON: results are names and counts, and the ids of a full search take 110,000. */
export const MAX_RESULT_CHARS = 1024 * 1024;

export type StepOutcome =
  { readonly ok: true; readonly result: Json } | { readonly ok: false; readonly error: TabmeshError };

export interface StepRun {
  readonly step: StepDefinition;
  readonly action: Action;
  readonly inputs: Json;
  readonly runId: RunId;
  readonly clock: Clock;
  /** the run's cancellation */
  readonly signal: AbortSignal;
  /** records one progress event */
  readonly onProgress: (progress: StepProgress) => Promise<unknown>;
}

/**
 * Runs the action of one step under its time limit. Cancellation and time limit reach the action's signal; a result that
 * comes nevertheless, within the grace, counts.
 * @throws only what `onProgress` throws; the action's failure is in the outcome
 */
export async function runStep(run: StepRun): Promise<StepOutcome> {
  const { step, clock, signal } = run;
  const broken = new AbortController();
  const deadline = startDeadline({
    clock,
    ms: step.timeoutMs,
    what: `the step "${step.name}"`,
    signal: AbortSignal.any([signal, broken.signal]),
  });
  const progress = throttleProgress(clock, run.onProgress, (thrown) => {
    broken.abort(thrown);
  });
  const settled = new AbortController();
  try {
    const work = perform(run, deadline.signal, progress.report);
    const outcome = await Promise.race([work, afterGrace(deadline.signal, clock, settled.signal)]);
    await progress.finish();
    if (outcome?.ok === true) return outcome;
    const ended = deadline.reason();
    if (ended !== undefined) return { ok: false, error: ended };
    return outcome ?? { ok: false, error: new TabmeshError('cancelled', 'cancelled') };
  } finally {
    settled.abort();
    deadline.dispose();
  }
}

async function perform(
  { action, inputs, runId }: StepRun,
  signal: AbortSignal,
  progress: (p: StepProgress) => void,
): Promise<StepOutcome> {
  try {
    const result = await action(inputs, { runId, signal, progress });
    checkResult(result);
    return { ok: true, result };
  } catch (thrown) {
    return { ok: false, error: toTabmeshError(thrown, 'tool_failed') };
  }
}

/** Resolves with null when the grace after an abort is over; never, when the step settles first. */
function afterGrace(signal: AbortSignal, clock: Clock, settled: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    const wait = () => {
      clock.sleep(STEP_GRACE_MS, settled).then(
        () => {
          resolve(null);
        },
        () => undefined, // the step settled within the grace
      );
    };
    if (signal.aborted) wait();
    else signal.addEventListener('abort', wait, { once: true, signal: settled });
  });
}

function checkResult(result: Json): void {
  const json = JSON.stringify(result) as string | undefined; // undefined for a result that is none
  if (json === undefined) throw new TabmeshError('invalid_output', 'the step gave no result');
  if (json.length > MAX_RESULT_CHARS) {
    throw new TabmeshError('payload_too_large', `the step's result has ${json.length} characters`, {
      hint: 'Store large data and return its address.',
    });
  }
}
