import type { RunEvent, RunState, StepState } from '../contracts/workflow.ts';
import { TabmeshError } from '../lib/errors.ts';

type EventOf<T extends RunEvent['type']> = Extract<RunEvent, { readonly type: T }>;
type Running = Extract<RunState, { readonly status: 'running' }>;
type Steps = RunState['steps'];

/**
 * The state of a run after all its events: a pure function of them.
 * @throws `corrupt` when the events do not count from 0 without gaps, or tell what cannot happen
 */
export function foldRun(events: readonly RunEvent[]): RunState {
  let state: RunState | null = null;
  for (const [index, event] of events.entries()) {
    if (event.seq !== index) throw illegal(event, `event ${index} is numbered ${event.seq}`);
    state = applyEvent(state, event);
  }
  if (state === null) throw new TabmeshError('corrupt', 'a stored run has no events');
  return state;
}

/**
 * The state of a run after one more event.
 * @param state null before the first event
 * @throws `corrupt` when the event cannot follow
 */
export function applyEvent(state: RunState | null, event: RunEvent): RunState {
  if (event.type === 'run_created') {
    if (state !== null) throw illegal(event, 'the run exists already');
    return created(event);
  }
  if (state === null) throw illegal(event, 'the run does not exist yet');
  if (event.type === 'run_started') {
    if (state.status !== 'created') throw illegal(event, `the run is ${state.status}`);
    return { ...state, status: 'running', startedAt: event.at };
  }
  if (state.status !== 'running') throw illegal(event, `the run is ${state.status}`);
  switch (event.type) {
    case 'step_started':
    case 'step_progress':
    case 'step_completed':
    case 'step_failed':
    case 'step_skipped':
      return { ...state, steps: { ...state.steps, [event.step]: nextStep(state, event) } };
    case 'run_completed':
      requireCompleted(state, event);
      return { ...ended(state, event.at), status: 'completed', result: event.result };
    case 'run_failed':
      // open steps: the run was ended from outside of them (interrupted, or its store failed)
      return {
        ...ended(state, event.at),
        status: 'failed',
        error: event.error,
        steps: cancelOpen(state.steps, event.at),
      };
    case 'run_cancelled':
      return {
        ...ended(state, event.at),
        status: 'cancelled',
        reason: event.reason,
        steps: cancelOpen(state.steps, event.at),
      };
  }
}

/** The `run_failed`, `run_completed` or `run_cancelled` of a run has happened. */
export function hasEnded(state: RunState): boolean {
  return state.status !== 'created' && state.status !== 'running';
}

function created(event: EventOf<'run_created'>): RunState {
  const { runId, definition, inputs, at } = event;
  const steps = Object.fromEntries(definition.steps.map(({ id }) => [id, { status: 'pending' }])) as Steps;
  return { runId, definition, inputs, createdAt: at, steps, status: 'created' };
}

type StepEvent = EventOf<'step_started' | 'step_progress' | 'step_completed' | 'step_failed' | 'step_skipped'>;

function nextStep(run: Running, event: StepEvent): StepState {
  const step = Object.hasOwn(run.steps, event.step) ? run.steps[event.step] : undefined;
  if (step === undefined) throw illegal(event, `there is no step "${event.step}"`);
  if (event.type === 'step_started') {
    requireStatus(step, 'pending', event);
    requireDependencies(run, event);
    return { status: 'running', startedAt: event.at, progress: null };
  }
  if (event.type === 'step_skipped') {
    requireStatus(step, 'pending', event);
    if (run.steps[event.because]?.status !== 'failed') throw illegal(event, `"${event.because}" has not failed`);
    return { status: 'skipped', because: event.because };
  }
  if (step.status !== 'running') throw illegal(event, `the step is ${step.status}`);
  const { startedAt } = step;
  switch (event.type) {
    case 'step_progress':
      return { status: 'running', startedAt, progress: event.progress };
    case 'step_completed':
      return { status: 'completed', startedAt, endedAt: event.at, result: event.result };
    case 'step_failed':
      return { status: 'failed', startedAt, endedAt: event.at, error: event.error };
  }
}

function requireStatus(step: StepState, status: StepState['status'], event: StepEvent): void {
  if (step.status !== status) throw illegal(event, `the step is ${step.status}`);
}

function requireDependencies(run: Running, event: EventOf<'step_started'>): void {
  const definition = run.definition.steps.find(({ id }) => id === event.step);
  const open = definition?.dependsOn.find((id) => run.steps[id]?.status !== 'completed');
  if (open !== undefined) throw illegal(event, `"${open}" has not completed`);
}

function requireCompleted(run: Running, event: RunEvent): void {
  const open = Object.entries(run.steps).find(([, step]) => step.status !== 'completed');
  if (open !== undefined) throw illegal(event, `step "${open[0]}" is ${open[1].status}`);
}

function cancelOpen(steps: Steps, at: number): Steps {
  const cancelled: StepState = { status: 'cancelled', endedAt: at };
  return Object.fromEntries(
    Object.entries(steps).map(([id, step]) => [
      id,
      step.status === 'pending' || step.status === 'running' ? cancelled : step,
    ]),
  );
}

function ended(run: Running, at: number) {
  const { runId, definition, inputs, createdAt, steps, startedAt } = run;
  return { runId, definition, inputs, createdAt, steps, startedAt, endedAt: at };
}

function illegal(event: RunEvent, why: string): TabmeshError {
  return new TabmeshError('corrupt', `the history of a run is damaged: ${event.type} at ${event.seq}, but ${why}`, {
    hint: 'Delete this run from the list; its datasets are not affected.',
    details: { seq: event.seq, type: event.type },
  });
}
