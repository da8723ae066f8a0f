import type { Json, StepProgress } from '../../contracts/workflow.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { DeviceId, RoomId } from '../../lib/ids.ts';
import { exposeWorker } from '../../lib/worker-call-expose.ts';
import type { WorkerClient } from '../../lib/worker-call.ts';
import { createWorkerClient, portEndpoint } from '../../lib/worker-call.ts';
import type { FetchRoute } from '../fetch/tab-fetch.ts';
import type { DataWorker } from './workers/data-handler.ts';
import type { ActionCall, ResearchPage } from './workers/protocol.ts';
import type { ResearchWorker } from './workers/research-handler.ts';
import type { SearchWorker } from './workers/search-handler.ts';
import type { WorkflowPage, WorkflowWorker } from './workers/workflow-handler.ts';

export interface WorkerPoolOptions {
  readonly room: RoomId;
  readonly device: DeviceId;
  readonly email: string;
  /** how the research worker gets out; asked at each request */
  readonly route: (renew: boolean, signal: AbortSignal) => Promise<FetchRoute>;
  /** the action `index.build`, which publishes in the replica and so runs on the page */
  readonly index: (call: ActionCall, signal: AbortSignal, progress: (p: StepProgress) => void) => Promise<Json>;
}

/**
 * A cancelled run gives its step's worker 2 s, then the step 3 s in all, then stores its end: the worker that does this must be
 * the last to be given up.
 */
const WORKFLOW_GRACE_MS = 10_000;

/** The four workers of an open room. Each starts at its first call. */
export interface WorkerPool {
  readonly workflow: WorkerClient<WorkflowWorker>;
  readonly search: WorkerClient<SearchWorker>;
  readonly data: WorkerClient<DataWorker>;
  close(): void;
}

/** Wires the workers with the page and, through it, with each other: only CIDs and small JSON cross. */
export function createWorkerPool({ room, device, email, route, index }: WorkerPoolOptions): WorkerPool {
  const research = createWorkerClient<ResearchWorker>(
    () => new Worker(new URL('../../../workers/research.ts', import.meta.url), { type: 'module', name: 'research' }),
    {
      init: () => {
        const answer: ResearchPage['route'] = ({ renew }, { signal }) => route(renew, signal);
        const port = servePage({ route: answer });
        return { args: { room, device, email, page: port }, transfer: [port] };
      },
    },
  );
  const data = createWorkerClient<DataWorker>(
    () => new Worker(new URL('../../../workers/data.ts', import.meta.url), { type: 'module', name: 'data' }),
    { init: () => ({ args: { room, device } }) },
  );
  const search = createWorkerClient<SearchWorker>(
    () => new Worker(new URL('../../../workers/search.ts', import.meta.url), { type: 'module', name: 'search' }),
    { init: () => ({ args: { room, device } }) },
  );

  const act: WorkflowPage['act'] = (call, { signal, progress }) => {
    const options = { signal, onProgress: progress };
    if (call.name.startsWith('pubmed.')) return research.call('act', call, options);
    if (call.name.startsWith('dataset.')) return data.call('act', call, options);
    if (call.name === 'index.build') return index(call, signal, progress);
    return Promise.reject(new TabmeshError('unsupported', `this app cannot do the step "${call.name}"`));
  };
  const workflow = createWorkerClient<WorkflowWorker>(
    () => new Worker(new URL('../../../workers/workflow.ts', import.meta.url), { type: 'module', name: 'workflow' }),
    {
      graceMs: WORKFLOW_GRACE_MS,
      init: () => {
        const port = servePage({ act });
        return { args: { room, device, page: port }, transfer: [port] };
      },
    },
  );
  return {
    workflow,
    search,
    data,
    close() {
      for (const client of [workflow, research, data, search]) client.close();
    },
  };
}

/** Answers a worker's questions on a port of its own. @returns the end to give to the worker */
function servePage(handlers: Parameters<typeof exposeWorker>[0]): MessagePort {
  const { port1, port2 } = new MessageChannel();
  exposeWorker(handlers, portEndpoint(port1));
  return port2;
}
