import type { Json, StepProgress } from '../../../contracts/workflow.ts';
import { systemClock } from '../../../lib/clock.ts';
import { exposeWorker } from '../../../lib/worker-call-expose.ts';
import type { HandlerContext } from '../../../lib/worker-call-wire.ts';
import { createWorkerClient, portEndpoint } from '../../../lib/worker-call.ts';
import { createWebLock } from '../../../mesh/storage/lock.browser.ts';
import type { ResearchActions } from '../../../research/actions.ts';
import { createResearchActions } from '../../../research/actions.ts';
import { createTabFetch } from '../../fetch/tab-fetch.ts';
import { openRoomStorage } from '../storage.ts';
import { notReady } from './not-ready.ts';
import type { ActionCall, ResearchInit, ResearchPage } from './protocol.ts';
import { PORT_GRACE_MS } from './protocol.ts';

/** NCBI counts requests by address, and all tabs of a browser have one: they share a queue. */
const GATE = 'tabmesh/gate/pubmed';

/** Fetches and parses, so that neither happens on the page's thread. */
export type ResearchWorker = {
  readonly init: (args: ResearchInit) => Promise<void>;
  readonly act: (args: ActionCall, context: HandlerContext) => Promise<Json>;
};

/** The worker's whole program. */
export function runResearchWorker(): void {
  let actions: ResearchActions | undefined;
  const handlers: ResearchWorker = {
    async init({ room, email, page }) {
      const { blocks } = await openRoomStorage(room);
      const pageSide = createWorkerClient<ResearchPage>(() => portEndpoint(page), { graceMs: PORT_GRACE_MS });
      const fetch = createTabFetch({ route: (renew, signal) => pageSide.call('route', { renew }, { signal }) });
      actions = createResearchActions({
        fetch,
        blocks,
        clock: systemClock,
        email,
        gate: createWebLock(GATE),
      });
    },
    async act({ name, inputs, runId }, { signal, progress }) {
      const action = actions === undefined ? undefined : actions[name as keyof ResearchActions];
      if (action === undefined) throw notReady(name);
      return action(inputs, { runId, signal, progress: (p: StepProgress) => progress(p) });
    },
  };
  exposeWorker(handlers);
}
