import { AsyncLocalStorage } from 'node:async_hooks';
import type { Trace } from '../../../src/lib/traceparent.ts';
import type { Caller } from './caller.ts';

/** The HTTP request that code is running for. */
export interface RequestContext {
  readonly caller: Caller;
  readonly trace: Trace;
  /** the tool whose call was let in before the request was read further; its turn is used up by the first call */
  admitted: string | null;
}

const storage = new AsyncLocalStorage<RequestContext>();

/**
 * The request that this code runs for. A session of an older MCP client is made once and serves many requests, each with
 * its own trace, and perhaps with a newer token: what answers it cannot be handed them.
 */
export const currentRequest = (): RequestContext | undefined => storage.getStore();

/** Runs `work`, and whatever it starts, for a request. */
export function runFor(context: RequestContext, work: () => void): void {
  storage.run(context, work);
}
