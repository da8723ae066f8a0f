import { expose, releaseProxy, type Endpoint, type Remote } from 'comlink';
import { TabmeshError, toTabmeshError } from './errors.ts';
import type { CallOutcome, HandlerContext, WorkerHandlers, WorkerSurface } from './worker-call-wire.ts';

type ProgressSink = Remote<(id: number, value: unknown) => unknown>;
type AnyHandler = (args: unknown, context: HandlerContext) => unknown;

/**
 * The worker's side of `createWorkerClient`: offers `handlers` to the other end. A handler's failure crosses as a
 * WireError; its signal aborts when the caller's does.
 * @param handlers one named `init` receives the client's init message before any other call
 * @param endpoint the worker's own scope when absent; a MessagePort serves as well
 */
export function exposeWorker(handlers: WorkerHandlers, endpoint?: Endpoint): void {
  const running = new Map<number, AbortController>();
  let sink: ProgressSink | undefined;

  const surface: WorkerSurface = {
    connect: (progress) => {
      sink?.[releaseProxy]();
      sink = progress as ProgressSink;
    },
    call: async (id, method, args): Promise<CallOutcome> => {
      const controller = new AbortController();
      running.set(id, controller);
      const reports: Promise<unknown>[] = [];
      const progress = (value: unknown): void => {
        if (sink !== undefined && running.has(id)) reports.push(sink(id, value));
      };
      try {
        const value = await handlerOf(handlers, method)(args, { signal: controller.signal, progress });
        // reports travel on a port of their own: without waiting, the answer could overtake the last of them
        await Promise.all(reports);
        return { ok: true, value };
      } catch (thrown) {
        await Promise.allSettled(reports);
        return { ok: false, error: toTabmeshError(thrown).toWire() };
      } finally {
        running.delete(id);
      }
    },
    abort: (id, reason) => {
      running.get(id)?.abort(TabmeshError.fromWire(reason));
    },
  };
  expose(surface, endpoint);
}

function handlerOf(handlers: WorkerHandlers, method: string): AnyHandler {
  const handler = Object.hasOwn(handlers, method) ? handlers[method] : undefined;
  if (handler === undefined) {
    throw new TabmeshError('internal', `this worker has no method "${method}"`);
  }
  return handler as AnyHandler;
}
