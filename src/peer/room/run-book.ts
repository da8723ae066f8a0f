import type { Json, RunEvent, RunState, WorkflowDefinition } from '../../contracts/workflow.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import type { RunId } from '../../lib/ids.ts';
import { randomId } from '../../lib/ids.ts';
import { createListeners } from '../../lib/listeners.ts';
import type { Log } from '../../lib/log.ts';
import type { BlockHold } from '../../mesh/storage/hold.ts';
import { applyEvent, hasEnded } from '../../workflow/fold.ts';

/** Where runs really execute: a worker in a tab, this process on Node. */
export interface RunExecutor {
  /** @returns the final state; a failed or cancelled run is a normal return. @throws only when events cannot be kept */
  execute(
    definition: WorkflowDefinition,
    inputs: Json,
    options: { readonly runId: RunId; readonly signal: AbortSignal; readonly onEvent: (event: RunEvent) => void },
  ): Promise<RunState>;
  /** the stored runs, those that a dead tab left running ended as failed */
  load(): Promise<readonly RunState[]>;
  delete(id: RunId): Promise<void>;
}

/** The runs of this device as the app and the tools see them. */
export class RunBook {
  readonly #executor: RunExecutor;
  readonly #definitions: ReadonlyMap<string, WorkflowDefinition>;
  readonly #hold: BlockHold;
  readonly #log: Log;
  readonly #runs = new Map<RunId, RunState>();
  readonly #active = new Map<RunId, AbortController>();
  readonly #listeners = createListeners();

  constructor(executor: RunExecutor, definitions: readonly WorkflowDefinition[], hold: BlockHold, log: Log) {
    this.#executor = executor;
    this.#definitions = new Map(definitions.map((definition) => [definition.id, definition]));
    this.#hold = hold;
    this.#log = log;
  }

  /** Reads what is stored. */
  async load(): Promise<void> {
    for (const run of await this.#executor.load()) if (!this.#runs.has(run.runId)) this.#runs.set(run.runId, run);
    this.#listeners.notify();
  }

  /** newest first */
  list(): readonly RunState[] {
    return [...this.#runs.values()].sort((a, b) => b.createdAt - a.createdAt || (a.runId < b.runId ? 1 : -1));
  }

  get(id: RunId): RunState | undefined {
    return this.#runs.get(id);
  }

  subscribe(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  /**
   * Starts a run.
   * @param onState every state of the run, as it changes
   * @returns its id; `started` resolves when its first event is stored and rejects when that cannot be; `ended` gives its
   *   final state
   * @throws `not_found` for an unknown workflow
   */
  start(
    workflow: string,
    inputs: Json,
    options: { readonly signal?: AbortSignal; readonly onState?: (state: RunState) => void } = {},
  ): { readonly id: RunId; readonly started: Promise<void>; readonly ended: Promise<RunState> } {
    const definition = this.#definitions.get(workflow);
    if (definition === undefined) throw new TabmeshError('not_found', `there is no workflow "${workflow}"`);
    const id = randomId() as RunId;
    const controller = new AbortController();
    this.#active.set(id, controller);
    const signal =
      options.signal === undefined ? controller.signal : AbortSignal.any([controller.signal, options.signal]);
    const started = Promise.withResolvers<undefined>();
    const execute = () =>
      this.#executor.execute(definition, inputs, {
        runId: id,
        signal,
        onEvent: (event) => {
          const state = applyEvent(this.#runs.get(id) ?? null, event);
          this.#runs.set(id, state);
          started.resolve(undefined);
          options.onState?.(state);
          this.#listeners.notify();
        },
      });
    // its blocks are nobody's until the dataset is listed
    const ended = this.#hold
      .writing(execute)
      .then(
        (state) => {
          this.#runs.set(id, state);
          return state;
        },
        (thrown: unknown) => {
          this.#lost(id, toTabmeshError(thrown));
          throw thrown;
        },
      )
      .finally(() => {
        this.#active.delete(id);
        this.#listeners.notify();
      });
    ended.catch((thrown: unknown) => {
      started.reject(thrown);
      this.#log.error('run not kept', { run: id, reason: toTabmeshError(thrown).message });
    });
    // whoever started the run may look at `ended` alone
    started.promise.catch(() => undefined);
    return { id, started: started.promise, ended };
  }

  /** The executor died under a run: what was seen of it ends here, as it will when it is read again. */
  #lost(id: RunId, error: TabmeshError): void {
    const state = this.#runs.get(id);
    if (state === undefined || hasEnded(state)) return;
    const at = Date.now();
    const { runId, definition, inputs, createdAt, steps } = state;
    const startedAt = state.status === 'running' ? state.startedAt : createdAt;
    const failed = { status: 'failed', startedAt, endedAt: at, error: error.toWire() } as const;
    this.#runs.set(id, { runId, definition, inputs, createdAt, steps, ...failed });
  }

  /** Cancels a run of this tab; others are not ours to stop. */
  cancel(id: RunId): void {
    this.#active.get(id)?.abort(new TabmeshError('cancelled', 'cancelled by the person who started it'));
  }

  /** @throws `conflict` while it runs */
  async delete(id: RunId): Promise<void> {
    if (this.#active.has(id))
      throw new TabmeshError('conflict', 'the run is still going on', { hint: 'Cancel it first.' });
    await this.#executor.delete(id);
    this.#runs.delete(id);
    this.#listeners.notify();
  }

  /** Cancels everything that runs here. */
  close(): void {
    for (const controller of this.#active.values())
      controller.abort(new TabmeshError('cancelled', 'the room was closed'));
  }
}
