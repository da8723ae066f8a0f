import type { BlockStore, DatasetSummary } from '../../contracts/dataset.ts';
import type { FetchPort } from '../../contracts/fetch.ts';
import type { KeyValueStore } from '../../contracts/kv.ts';
import { createDataActions } from '../../data/actions.ts';
import type { Clock } from '../../lib/clock.ts';
import type { DeviceId } from '../../lib/ids.ts';
import type { Log } from '../../lib/log.ts';
import { createResearchActions } from '../../research/actions.ts';
import { createWorkflowActions } from '../../workflow/actions.ts';
import { createEngine } from '../../workflow/engine.ts';
import { createRunStore } from '../../workflow/store.ts';
import { indexAction } from '../room/index-action.ts';
import type { RunExecutor } from '../room/run-book.ts';

/** A few hundred small files. */
const LOAD_TIMEOUT_MS = 30_000;

/** Runs workflows in this process: on Node nothing has to be kept smooth. */
export function createProcessExecutor(options: {
  readonly store: KeyValueStore;
  readonly blocks: BlockStore;
  readonly fetch: FetchPort;
  readonly email: string;
  readonly device: DeviceId;
  readonly clock: Clock;
  readonly log: Log;
  readonly publish: (summary: DatasetSummary, signal: AbortSignal) => Promise<void>;
}): RunExecutor {
  const { store, blocks, fetch, email, device, clock, log, publish } = options;
  const runs = createRunStore(store);
  const engine = createEngine({
    store: runs,
    clock,
    actions: {
      ...createResearchActions({ fetch, blocks, clock, email }),
      ...createDataActions({ blocks, clock, device }),
      ...createWorkflowActions(),
      'index.build': indexAction(publish),
    },
  });
  return {
    execute: (definition, inputs, { runId, signal, onEvent }) =>
      engine.start(definition, inputs, { runId, signal, onEvent }),
    load() {
      const signal = AbortSignal.timeout(LOAD_TIMEOUT_MS);
      // one process owns the folder: nobody else is running anything
      return engine.recover({
        isElsewhere: () => Promise.resolve(false),
        signal,
        onUnreadable: ({ runId, error }) => {
          log.warn('run unreadable', { run: runId, reason: error.message, hint: error.hint });
        },
      });
    },
    delete: (id) => runs.delete(id),
  };
}
