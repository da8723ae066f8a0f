import type { RunId, StepId } from '../lib/ids.ts';
import type { WireError } from '../lib/errors.ts';

/** A JSON value: what steps take and give. Large data is stored and named by CID, never passed. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * A workflow: a DAG of steps. `inputs` of a step are JSON in which a string that is exactly `${inputs.name}`,
 * `${run.id}`, `${run.started_at}` (ISO 8601, UTC), `${steps.id.result}` or a dotted path below these (items of a list by
 * number, and its `length`) is replaced by the value it names.
 */
export interface WorkflowDefinition {
  readonly id: string;
  readonly version: string;
  readonly name: string;
  /** JSON Schema of the run's inputs */
  readonly inputSchema: Readonly<Record<string, unknown>>;
  readonly steps: readonly StepDefinition[];
  /** the run's result, with the same placeholders */
  readonly output: Json;
}

export interface StepDefinition {
  readonly id: StepId;
  /** what a person reads while it runs */
  readonly name: string;
  /** an action that the runtime offers, e.g. `pubmed.search` */
  readonly action: string;
  readonly inputs: Json;
  readonly dependsOn: readonly StepId[];
  /** milliseconds; counted from the start of the step */
  readonly timeoutMs: number;
}

/** Progress of a step: `total` null while unknown. */
export interface StepProgress {
  readonly done: number;
  readonly total: number | null;
  readonly message: string;
}

/** What happens to a run, in order. `seq` counts from 0 without gaps; `at` is ms since the epoch. */
export type RunEvent = { readonly seq: number; readonly at: number } & (
  | {
      readonly type: 'run_created';
      readonly runId: RunId;
      readonly definition: WorkflowDefinition;
      readonly inputs: Json;
    }
  | { readonly type: 'run_started' }
  | { readonly type: 'step_started'; readonly step: StepId; readonly inputs: Json }
  | { readonly type: 'step_progress'; readonly step: StepId; readonly progress: StepProgress }
  | { readonly type: 'step_completed'; readonly step: StepId; readonly result: Json }
  | { readonly type: 'step_failed'; readonly step: StepId; readonly error: WireError }
  | { readonly type: 'step_skipped'; readonly step: StepId; readonly because: StepId }
  | { readonly type: 'run_completed'; readonly result: Json }
  | { readonly type: 'run_failed'; readonly error: WireError }
  | { readonly type: 'run_cancelled'; readonly reason: string }
);

export type StepState =
  | { readonly status: 'pending' }
  | { readonly status: 'running'; readonly startedAt: number; readonly progress: StepProgress | null }
  | { readonly status: 'completed'; readonly startedAt: number; readonly endedAt: number; readonly result: Json }
  | { readonly status: 'failed'; readonly startedAt: number; readonly endedAt: number; readonly error: WireError }
  | { readonly status: 'cancelled'; readonly endedAt: number }
  | { readonly status: 'skipped'; readonly because: StepId };

/** The fold of a run's events. */
export type RunState = {
  readonly runId: RunId;
  readonly definition: WorkflowDefinition;
  readonly inputs: Json;
  readonly createdAt: number;
  readonly steps: Readonly<Record<StepId, StepState>>;
} & (
  | { readonly status: 'created' }
  | { readonly status: 'running'; readonly startedAt: number }
  | { readonly status: 'completed'; readonly startedAt: number; readonly endedAt: number; readonly result: Json }
  | { readonly status: 'failed'; readonly startedAt: number; readonly endedAt: number; readonly error: WireError }
  | { readonly status: 'cancelled'; readonly startedAt: number; readonly endedAt: number; readonly reason: string }
);

/** Where runs are kept. Appends are durable before the promise resolves. */
export interface RunStore {
  append(runId: RunId, events: readonly RunEvent[]): Promise<void>;
  events(runId: RunId): Promise<readonly RunEvent[]>;
  list(): Promise<readonly RunId[]>;
  delete(runId: RunId): Promise<void>;
}

/** One action a step can name. Throws a TabmeshError to fail the step. */
export type Action = (
  inputs: Json,
  context: { readonly runId: RunId; readonly signal: AbortSignal; readonly progress: (p: StepProgress) => void },
) => Promise<Json>;
