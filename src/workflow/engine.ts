import type { Action, Json, RunState, RunStore, StepDefinition, WorkflowDefinition } from '../contracts/workflow.ts';
import type { Clock } from '../lib/clock.ts';
import { TabmeshError, toTabmeshError } from '../lib/errors.ts';
import type { RunId, StepId } from '../lib/ids.ts';
import { orderSteps } from './dag.ts';
import { hasEnded } from './fold.ts';
import { loadRuns, type UnreadableRun } from './history.ts';
import { substitute, type PlaceholderScope } from './placeholders.ts';
import { RunLog, type EventListener } from './run-log.ts';
import { checkInputs } from './schema.ts';
import { runStep } from './step.ts';

export type Actions = Readonly<Record<string, Action>>;

export interface EngineOptions {
  readonly actions: Actions;
  readonly store: RunStore;
  readonly clock: Clock;
}

export interface StartOptions {
  readonly runId: RunId;
  readonly signal: AbortSignal;
  readonly onEvent?: EventListener;
}

export interface RecoverOptions {
  /**
   * Whether another process of this device is executing the run right now. Must be given where several share a store:
   * without it, what they are doing is taken for abandoned.
   */
  readonly isElsewhere?: (runId: RunId) => Promise<boolean>;
  /** told of each run that cannot be read; it is left as it is */
  readonly onUnreadable?: (run: UnreadableRun) => void;
  readonly onEvent?: EventListener;
  readonly signal?: AbortSignal;
}

export interface Engine {
  /**
   * Runs a workflow to its end, one step at a time. A failed step skips all that come after it; steps that do not go on,
   * and the run then fails with the first failed step's error. An abort reaches the running action, and the run ends
   * `cancelled`. When events can no longer be stored, the run stops and fails with the store's error.
   * @returns the final state; a run that failed or was cancelled is a normal return
   * @throws before anything has happened: `invalid_input` (definition or inputs), `unsupported` (an action that this
   *   engine lacks), `conflict` (the run id is taken), or what the store throws for the first event
   */
  start(definition: WorkflowDefinition, inputs: Json, options: StartOptions): Promise<RunState>;
  /**
   * Reads the stored runs and ends those that a process left unfinished when it died: each fails as interrupted. To be
   * called at start; runs that this engine is executing are left alone.
   * @returns all runs that can be read, newest first
   * @throws what the store throws; `signal.reason`
   */
  recover(options?: RecoverOptions): Promise<readonly RunState[]>;
}

/** Builds an engine over its actions and store. */
export function createEngine({ actions, store, clock }: EngineOptions): Engine {
  const active = new Set<RunId>();
  return {
    start: async (definition, inputs, { runId, signal, onEvent }) => {
      const ordered = orderSteps(definition);
      checkInputs(inputs, definition.inputSchema);
      const plan = ordered.map((step) => ({ step, action: actionOf(step, actions) }));
      if (active.has(runId)) throw new TabmeshError('conflict', `the run ${runId} is going on already`);
      active.add(runId);
      try {
        const log = new RunLog({ runId, store, clock, onEvent });
        await log.record({ type: 'run_created', runId, definition, inputs }, { type: 'run_started' });
        return await execute({ log, plan, definition, inputs, runId, signal, clock });
      } finally {
        active.delete(runId);
      }
    },
    recover: async ({ isElsewhere, onUnreadable, onEvent, signal } = {}) => {
      const { runs, unreadable } = await loadRuns(store, signal);
      if (onUnreadable !== undefined) unreadable.forEach(onUnreadable);
      const states: RunState[] = [];
      for (const { state, events } of runs) {
        signal?.throwIfAborted();
        const { runId } = state;
        if (hasEnded(state) || active.has(runId) || (await isElsewhere?.(runId)) === true) {
          states.push(state);
          continue;
        }
        const log = new RunLog({ runId, store, clock, onEvent, resume: { state, nextSeq: events } });
        const failed = { type: 'run_failed', error: interruptedError().toWire() } as const;
        const started = state.status === 'created' ? ([{ type: 'run_started' }] as const) : [];
        // a full store must not keep away what it holds
        states.push(await log.recordAnyway(...started, failed));
      }
      return states;
    },
  };
}

interface Execution {
  readonly log: RunLog;
  readonly plan: readonly { readonly step: StepDefinition; readonly action: Action }[];
  readonly definition: WorkflowDefinition;
  readonly inputs: Json;
  readonly runId: RunId;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/** All steps of a run that has started, and its end. */
async function execute(execution: Execution): Promise<RunState> {
  const { log, plan, definition, inputs, runId, signal, clock } = execution;
  const results = new Map<StepId, Json>();
  /** steps that failed or were skipped, with the failed step they are due to */
  const lost = new Map<StepId, StepId>();
  const run = { id: runId, started_at: new Date(clock.now()).toISOString() };
  const scope: PlaceholderScope = { inputs, run, results };
  let firstFailure: TabmeshError | null = null;
  try {
    for (const { step, action } of plan) {
      if (signal.aborted) return await cancel(execution);
      const cause = step.dependsOn.map((id) => lost.get(id)).find((id) => id !== undefined);
      if (cause !== undefined) {
        lost.set(step.id, cause);
        await log.record({ type: 'step_skipped', step: step.id, because: cause });
        continue;
      }
      const outcome = await executeStep(execution, step, action, scope);
      if (outcome.ok) {
        results.set(step.id, outcome.result);
        await log.record({ type: 'step_completed', step: step.id, result: outcome.result });
        continue;
      }
      // read through a call: the signal may have fired since it was looked at above
      if (isAborted(signal)) return await cancel(execution);
      firstFailure ??= outcome.error;
      lost.set(step.id, step.id);
      await log.record({ type: 'step_failed', step: step.id, error: outcome.error.toWire() });
    }
    if (firstFailure !== null) return await log.record({ type: 'run_failed', error: firstFailure.toWire() });
    const result = attempt(() => substitute(definition.output, scope));
    if (!result.ok) return await log.record({ type: 'run_failed', error: result.error.toWire() });
    return await log.record({ type: 'run_completed', result: result.result });
  } catch (thrown) {
    return log.recordAnyway({ type: 'run_failed', error: unstored(thrown).toWire() });
  }
}

async function executeStep(
  { log, runId, clock, signal }: Execution,
  step: StepDefinition,
  action: Action,
  scope: PlaceholderScope,
) {
  const inputs = attempt(() => substitute(step.inputs, scope));
  await log.record({ type: 'step_started', step: step.id, inputs: inputs.ok ? inputs.result : step.inputs });
  if (!inputs.ok) return inputs;
  return runStep({
    step,
    action,
    inputs: inputs.result,
    runId,
    clock,
    signal,
    onProgress: (progress) => log.record({ type: 'step_progress', step: step.id, progress }),
  });
}

function cancel({ log, signal }: Execution): Promise<RunState> {
  return log.record({ type: 'run_cancelled', reason: toTabmeshError(signal.reason, 'cancelled').message });
}

function attempt(work: () => Json) {
  try {
    return { ok: true, result: work() } as const;
  } catch (thrown) {
    return { ok: false, error: toTabmeshError(thrown) } as const;
  }
}

function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

function actionOf(step: StepDefinition, actions: Actions): Action {
  const action = Object.hasOwn(actions, step.action) ? actions[step.action] : undefined;
  if (action !== undefined) return action;
  throw new TabmeshError('unsupported', `this device has no action "${step.action}" for the step "${step.name}"`, {
    hint: 'Run it on another device, or update this app.',
  });
}

function unstored(thrown: unknown): TabmeshError {
  const error = toTabmeshError(thrown, 'storage_failed');
  return new TabmeshError(
    error.code,
    `the run was stopped because its progress could not be stored: ${error.message}`,
    {
      ...(error.hint === null ? {} : { hint: error.hint }),
      retryable: error.retryable,
      details: { ...error.details },
      cause: thrown,
    },
  );
}

function interruptedError(): TabmeshError {
  return new TabmeshError('cancelled', 'the run was interrupted: the page or process that ran it was closed', {
    hint: 'Start it again.',
    retryable: true,
    details: { interrupted: true },
  });
}
