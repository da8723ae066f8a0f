import type {
  Action,
  Json,
  RunEvent,
  RunState,
  RunStore,
  StepProgress,
  WorkflowDefinition,
} from '../../../contracts/workflow.ts';
import { systemClock } from '../../../lib/clock.ts';
import { TabmeshError } from '../../../lib/errors.ts';
import type { RunId } from '../../../lib/ids.ts';
import { exposeWorker } from '../../../lib/worker-call-expose.ts';
import type { HandlerContext } from '../../../lib/worker-call-wire.ts';
import { createWorkerClient, portEndpoint } from '../../../lib/worker-call.ts';
import { createWorkflowActions } from '../../../workflow/actions.ts';
import type { Engine } from '../../../workflow/engine.ts';
import { createEngine } from '../../../workflow/engine.ts';
import { createRunStore } from '../../../workflow/store.ts';
import { consoleLog } from '../console-log.ts';
import { openRoomStore } from '../room-store.ts';
import { notReady } from './not-ready.ts';
import type { ActionCall, WorkflowInit } from './protocol.ts';
import { PORT_GRACE_MS } from './protocol.ts';

/** Actions that other workers of the page do. */
const PAGE_ACTIONS = ['pubmed.search', 'pubmed.fetch', 'dataset.write', 'index.build'] as const;

/** Executes runs and keeps their events. */
export type WorkflowWorker = {
  readonly init: (args: WorkflowInit) => Promise<void>;
  /** progress reports are the run's events */
  readonly execute: (
    args: { readonly definition: WorkflowDefinition; readonly inputs: Json; readonly runId: RunId },
    context: HandlerContext,
  ) => Promise<RunState>;
  readonly load: (args: null, context: HandlerContext) => Promise<readonly RunState[]>;
  readonly remove: (args: { readonly runId: RunId }) => Promise<void>;
};

/** What the page answers to this worker. */
export type WorkflowPage = {
  readonly act: (args: ActionCall, context: HandlerContext) => Promise<Json>;
};

/** The lock that a worker holds while it executes a run: whoever can take it knows that nobody does. */
const lockOf = (runId: RunId) => `tabmesh/run/${runId}`;

/** The worker's whole program. */
export function runWorkflowWorker(): void {
  let room: { readonly engine: Engine; readonly runs: RunStore } | undefined;
  const opened = () => {
    if (room === undefined) throw notReady('workflow');
    return room;
  };
  const handlers: WorkflowWorker = {
    async init(args) {
      const store = await openRoomStore(args.room);
      const page = createWorkerClient<WorkflowPage>(() => portEndpoint(args.page), { graceMs: PORT_GRACE_MS });
      const remote = (name: string): Action => {
        return (inputs, { runId, signal, progress }) =>
          page.call('act', { name, inputs, runId }, { signal, onProgress: (p) => progress(p as StepProgress) });
      };
      const runs = createRunStore(store);
      const actions = { ...createWorkflowActions(), ...Object.fromEntries(PAGE_ACTIONS.map((n) => [n, remote(n)])) };
      room = { runs, engine: createEngine({ actions, store: runs, clock: systemClock }) };
    },
    execute: ({ definition, inputs, runId }, { signal, progress }) =>
      navigator.locks.request(lockOf(runId), () =>
        opened().engine.start(definition, inputs, { runId, signal, onEvent: (event: RunEvent) => progress(event) }),
      ),
    load(_args, { signal }) {
      return opened().engine.recover({
        isElsewhere,
        signal,
        onUnreadable: ({ runId, error }) => {
          consoleLog.warn('run unreadable', { run: runId, reason: error.message, hint: error.hint });
        },
      });
    },
    remove: ({ runId }) =>
      navigator.locks.request(lockOf(runId), { ifAvailable: true }, (lock) => {
        if (lock !== null) return opened().runs.delete(runId);
        throw new TabmeshError('conflict', 'the run is going on in another tab', { hint: 'Cancel it there first.' });
      }),
  };
  exposeWorker(handlers);
}

async function isElsewhere(runId: RunId): Promise<boolean> {
  return navigator.locks.request(lockOf(runId), { ifAvailable: true }, (lock) => lock === null);
}
