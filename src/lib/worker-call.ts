import { proxy, transfer, wrap, type Endpoint, type Remote } from 'comlink';
import { systemClock, type Clock } from './clock.ts';
import { TabmeshError, toTabmeshError } from './errors.ts';
import { INIT_METHOD, type CallOutcome, type WorkerHandlers, type WorkerSurface } from './worker-call-wire.ts';

/**
 * How long a call may go on after it was cancelled, ms. A handler that looks at its signal ends within a batch of work
 * (tens of ms); one that has not after this is stuck in a loop, and only the worker's end stops it.
 */
export const WORKER_GRACE_MS = 2_000;

/** A `Worker`, or anything with its face; {@link portEndpoint} makes one of a MessagePort. */
export interface WorkerEndpoint extends Endpoint {
  terminate(): void;
}

/** The first message to a fresh worker; made anew each time, since what is transferred can be sent only once. */
export interface InitMessage {
  readonly args: unknown;
  readonly transfer?: Transferable[];
}

export interface WorkerClientOptions {
  /** sent to the handler `init` of every fresh worker before anything else */
  readonly init?: () => InitMessage;
  /** see {@link WORKER_GRACE_MS} */
  readonly graceMs?: number;
  readonly clock?: Clock;
}

export interface WorkerCallOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (value: unknown) => void;
}

type ArgsOf<H> = H extends (args: infer A, ...rest: never[]) => unknown ? A : never;
type ResultOf<H> = H extends (...args: never[]) => infer R ? Awaited<R> : never;

/** Typed by the handlers that the worker exposes. */
export interface WorkerClient<T extends WorkerHandlers> {
  /**
   * Calls a handler in the worker, starting the worker when there is none. After an abort the handler's own outcome
   * counts if it comes within the grace; after that the worker is terminated and the call fails with the abort's reason.
   * @throws what the handler threw; `internal`, retryable, when the worker died under the call
   */
  call<K extends keyof T & string>(method: K, args: ArgsOf<T[K]>, options?: WorkerCallOptions): Promise<ResultOf<T[K]>>;
  /** terminates the worker; calls in flight fail as `cancelled`, later ones start a new worker */
  close(): void;
}

interface InFlight {
  readonly onProgress: ((value: unknown) => void) | undefined;
  readonly fail: (error: TabmeshError) => void;
}

interface Running {
  readonly surface: Remote<WorkerSurface>;
  readonly inFlight: Map<number, InFlight>;
  /** settles when the `init` handler has */
  readonly ready: Promise<CallOutcome>;
  readonly stop: (reason: TabmeshError) => void;
}

/**
 * A client of one worker: many calls at once, each cancellable. A signal cannot be cloned, so an abort is a message
 * with the call's id; a worker that does not obey within the grace is terminated and replaced at the next call.
 * @param factory makes a fresh worker; called at the first call and after each termination
 */
export function createWorkerClient<T extends WorkerHandlers>(
  factory: () => WorkerEndpoint,
  options: WorkerClientOptions = {},
): WorkerClient<T> {
  const graceMs = options.graceMs ?? WORKER_GRACE_MS;
  const clock = options.clock ?? systemClock;
  let running: Running | undefined;
  let lastId = 0;

  const start = (): Running => {
    const fresh = startWorker(factory, options.init, (ended) => {
      if (running === ended) running = undefined;
    });
    running = fresh;
    return fresh;
  };

  const callWorker = async (method: string, args: unknown, { signal, onProgress }: WorkerCallOptions) => {
    if (signal?.aborted === true) throw toTabmeshError(signal.reason, 'cancelled');
    const worker = running ?? start();
    const id = ++lastId;
    const settled = new AbortController();
    const onAbort = () => {
      const reason = toTabmeshError(signal?.reason, 'cancelled');
      void worker.surface.abort(id, reason.toWire());
      clock.sleep(graceMs, settled.signal).then(
        () => {
          worker.inFlight.get(id)?.fail(reason);
          worker.stop(workerGone('it was stopped because another call did not react to being cancelled'));
        },
        () => undefined, // settled in time: the sleep was aborted
      );
    };
    try {
      const outcome = await new Promise<CallOutcome>((resolve, reject) => {
        worker.inFlight.set(id, { onProgress, fail: reject });
        signal?.addEventListener('abort', onAbort, { once: true });
        worker.ready
          .then(async (init) => {
            if (!init.ok) return init;
            // aborted while the worker was starting: it never hears of the call
            if (signal?.aborted === true) throw toTabmeshError(signal.reason, 'cancelled');
            return worker.surface.call(id, method, args);
          })
          .then(resolve, (thrown: unknown) => {
            reject(toTabmeshError(thrown));
          });
      });
      if (outcome.ok) return outcome.value;
      throw TabmeshError.fromWire(outcome.error);
    } finally {
      signal?.removeEventListener('abort', onAbort);
      settled.abort();
      worker.inFlight.delete(id);
    }
  };

  return {
    call: async <K extends keyof T & string>(method: K, args: ArgsOf<T[K]>, callOptions: WorkerCallOptions = {}) =>
      (await callWorker(method, args, callOptions)) as ResultOf<T[K]>,
    close: () => running?.stop(new TabmeshError('cancelled', 'the worker was closed')),
  };
}

/** The face of a worker for one end of a MessageChannel; `terminate` closes the port. */
export function portEndpoint(port: MessagePort): WorkerEndpoint {
  return {
    postMessage: (message: unknown, transferables?: Transferable[]) => {
      port.postMessage(message, transferables ?? []);
    },
    addEventListener: port.addEventListener.bind(port),
    removeEventListener: port.removeEventListener.bind(port),
    start: () => {
      port.start();
    },
    terminate: () => {
      port.close();
    },
  };
}

function startWorker(
  factory: () => WorkerEndpoint,
  init: (() => InitMessage) | undefined,
  onEnd: (ended: Running) => void,
): Running {
  const endpoint = makeEndpoint(factory);
  const surface = wrap<WorkerSurface>(endpoint);
  const inFlight = new Map<number, InFlight>();

  const stop = (reason: TabmeshError): void => {
    onEnd(worker);
    endpoint.removeEventListener('error', onCrash);
    endpoint.removeEventListener('messageerror', onCrash);
    endpoint.terminate();
    for (const call of [...inFlight.values()]) call.fail(reason);
  };
  const onCrash = (event: unknown): void => {
    const message = event instanceof Event && 'message' in event ? String(event.message) : '';
    stop(workerGone(message === '' ? 'it could not be started, or crashed' : `it crashed: ${message}`));
  };
  endpoint.addEventListener('error', onCrash);
  endpoint.addEventListener('messageerror', onCrash);

  void surface.connect(
    proxy((id: number, value: unknown) => {
      inFlight.get(id)?.onProgress?.(value);
    }),
  );
  const ready = sendInit(surface, init)
    .catch((thrown: unknown): CallOutcome => ({ ok: false, error: toTabmeshError(thrown).toWire() }))
    .then((outcome) => {
      // a worker that could not initialise is of no use to the next call either
      if (!outcome.ok) stop(TabmeshError.fromWire(outcome.error));
      return outcome;
    });
  const worker: Running = { surface, inFlight, ready, stop };
  return worker;
}

async function sendInit(surface: Remote<WorkerSurface>, init: (() => InitMessage) | undefined): Promise<CallOutcome> {
  if (init === undefined) return { ok: true, value: undefined };
  const message = init();
  const args = message.transfer === undefined ? message.args : transfer(message.args, message.transfer);
  return surface.call(0, INIT_METHOD, args);
}

function makeEndpoint(factory: () => WorkerEndpoint): WorkerEndpoint {
  try {
    return factory();
  } catch (thrown) {
    throw toTabmeshError(thrown, 'unsupported');
  }
}

function workerGone(why: string): TabmeshError {
  return new TabmeshError('internal', `the background worker is gone: ${why}`, {
    hint: 'Try again: a new worker is started.',
    retryable: true,
  });
}
