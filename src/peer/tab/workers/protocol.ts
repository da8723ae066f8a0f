import type { FetchRoute } from '../../fetch/tab-fetch.ts';
import type { DeviceId, RoomId, RunId } from '../../../lib/ids.ts';
import type { HandlerContext } from '../../../lib/worker-call-wire.ts';
import type { Json } from '../../../contracts/workflow.ts';

/** A worker cannot replace the page: it never gives it up (the longest that a timer waits). */
export const PORT_GRACE_MS = 2 ** 31 - 1;

/** First message to the workers that open the room's storage by themselves. */
export interface RoomInit {
  readonly room: RoomId;
  readonly device: DeviceId;
}

/** The research worker also needs a way out; it asks the page for one at each request. */
export interface ResearchInit extends RoomInit {
  readonly email: string;
  readonly page: MessagePort;
}

/** The workflow worker executes steps by asking the page, which knows the other workers. */
export interface WorkflowInit extends RoomInit {
  readonly page: MessagePort;
}

/** One action of a step. */
export interface ActionCall {
  readonly name: string;
  readonly inputs: Json;
  readonly runId: RunId;
}

/** What the page answers to the research worker. */
export type ResearchPage = {
  readonly route: (args: { readonly renew: boolean }, context: HandlerContext) => Promise<FetchRoute>;
};
