import type { StepDefinition, StepState, RunState } from '../../contracts/workflow.ts';
import type { StepId } from '../../lib/ids.ts';
import { RateMeter, remainingMs } from './rate.ts';

export type StepStatus = StepState['status'];

/** One step as the person sees it. */
export interface StepView {
  readonly id: StepId;
  readonly name: string;
  readonly status: StepStatus;
  readonly message: string | null;
  readonly done: number | null;
  readonly total: number | null;
  /** 0–1; null while it cannot be told */
  readonly fraction: number | null;
  /** ms it took, or has taken so far; null when it has not begun */
  readonly elapsedMs: number | null;
}

/** A run as the person sees it: what it does now, how far, how fast, how long still. */
export interface RunView {
  readonly steps: readonly StepView[];
  /** the step at work, counted from 1; null before the first and after the last */
  readonly current: (StepView & { readonly ordinal: number }) | null;
  /** items per second of the current step */
  readonly perSecond: number | null;
  /** ms that the current step still needs */
  readonly remainingMs: number | null;
  readonly elapsedMs: number;
}

/** Follows one run. Keep one while the run is shown: it remembers enough of the progress to tell a rate. */
export class RunProgress {
  readonly #meters = new Map<StepId, RateMeter>();

  /**
   * @param run its present state
   * @param now ms since the epoch
   */
  view(run: RunState, now: number): RunView {
    const steps = run.definition.steps.map((step) => stepView(step, run.steps[step.id], now));
    const index = steps.findIndex((step) => step.status === 'running');
    const step = steps[index];
    if (step === undefined) {
      return { steps, current: null, perSecond: null, remainingMs: null, elapsedMs: elapsed(run, now) };
    }
    const perSecond = this.#rate(step, run.steps[step.id], now);
    return {
      steps,
      current: { ...step, ordinal: index + 1 },
      perSecond,
      remainingMs: step.done === null ? null : remainingMs(step.done, step.total, perSecond),
      elapsedMs: elapsed(run, now),
    };
  }

  #rate(step: StepView, state: StepState | undefined, now: number): number | null {
    if (state?.status !== 'running' || step.done === null) return null;
    const meter = this.#meters.get(step.id) ?? new RateMeter(state.startedAt);
    this.#meters.set(step.id, meter);
    meter.add(now, step.done);
    return meter.perSecond(now);
  }
}

function stepView(step: StepDefinition, state: StepState | undefined, now: number): StepView {
  const base = { id: step.id, name: step.name, message: null, done: null, total: null, fraction: null };
  if (state === undefined) return { ...base, status: 'pending', elapsedMs: null };
  switch (state.status) {
    case 'running': {
      const { progress } = state;
      const total = progress?.total ?? null;
      return {
        ...base,
        status: 'running',
        message: progress?.message ?? null,
        done: progress?.done ?? null,
        total,
        fraction: progress === null || total === null || total <= 0 ? null : Math.min(1, progress.done / total),
        elapsedMs: Math.max(0, now - state.startedAt),
      };
    }
    case 'completed':
      return { ...base, status: 'completed', fraction: 1, elapsedMs: state.endedAt - state.startedAt };
    case 'failed':
      return {
        ...base,
        status: 'failed',
        message: state.error.message,
        elapsedMs: state.endedAt - state.startedAt,
      };
    case 'pending':
    case 'cancelled':
    case 'skipped':
      return { ...base, status: state.status, elapsedMs: null };
  }
}

function elapsed(run: RunState, now: number): number {
  if (run.status === 'created') return 0;
  const end = run.status === 'running' ? now : run.endedAt;
  return Math.max(0, end - run.startedAt);
}
