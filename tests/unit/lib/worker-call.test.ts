import { proxy, wrap } from 'comlink';
import { afterEach, describe, expect, it } from 'vitest';
import { TabmeshError } from '../../../src/lib/errors.ts';
import { exposeWorker } from '../../../src/lib/worker-call-expose.ts';
import type { HandlerContext, WorkerSurface } from '../../../src/lib/worker-call-wire.ts';
import {
  createWorkerClient,
  portEndpoint,
  WORKER_GRACE_MS,
  type WorkerClientOptions,
  type WorkerEndpoint,
} from '../../../src/lib/worker-call.ts';
import { manualClock } from '../../support/manual-clock.ts';

/** What the tests' worker offers. */
function handlers() {
  let greeting = 'none';
  return {
    init: async (args: { greeting: string; port?: MessagePort }) => {
      await Promise.resolve();
      if (args.greeting === '') throw new TabmeshError('unsupported', 'no greeting');
      greeting = args.greeting;
      args.port?.postMessage('hello from inside');
    },
    add: ([a, b]: readonly [number, number]) => a + b,
    greet: () => greeting,
    fail: (args: { known: boolean }) => {
      if (args.known) throw new TabmeshError('quota_exceeded', 'full', { hint: 'Delete.', details: { left: 0 } });
      throw new TypeError('surprise');
    },
    count: (to: number, { progress }: HandlerContext) => {
      for (let n = 1; n <= to; n++) progress(n);
      return to;
    },
    untilAborted: (_: null, { signal, progress }: HandlerContext) =>
      new Promise<never>((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(signal.reason as Error);
        });
        progress('waiting');
      }),
    answerWhenAborted: (_: null, { signal, progress }: HandlerContext) =>
      new Promise<string>((resolve) => {
        signal.addEventListener('abort', () => {
          resolve('what there was');
        });
        progress('waiting');
      }),
    never: (_: null, { progress }: HandlerContext) => {
      progress('waiting');
      return new Promise<never>(() => undefined);
    },
    unclonable: () => () => 1,
  };
}
type Handlers = ReturnType<typeof handlers>;

const open: { close(): void }[] = [];
afterEach(() => {
  for (const thing of open.splice(0)) thing.close();
});

/** A client whose "workers" are the other ends of message channels. */
function client(options: WorkerClientOptions = {}) {
  const started: (WorkerEndpoint & EventTarget)[] = [];
  let terminated = 0;
  const made = createWorkerClient<Handlers>(() => {
    const { port1, port2 } = new MessageChannel();
    exposeWorker(handlers(), portEndpoint(port2));
    const endpoint = portEndpoint(port1);
    const events = new EventTarget();
    const worker = Object.assign(events, {
      postMessage: endpoint.postMessage,
      terminate: () => {
        terminated += 1;
        endpoint.terminate();
        port2.close();
      },
    });
    port1.addEventListener('message', (event) => {
      events.dispatchEvent(new MessageEvent('message', { data: event.data as unknown }));
    });
    port1.start();
    started.push(worker);
    return worker;
  }, options);
  open.push(made);
  return { call: made.call, close: made.close, started, terminated: () => terminated };
}

/** Resolves when the handler has begun, which it says by its first report. */
function begun() {
  let onProgress: (value: unknown) => void = () => undefined;
  const promise = new Promise<unknown>((resolve) => {
    onProgress = resolve;
  });
  return { promise, onProgress };
}

describe('a worker call', () => {
  it('carries arguments in and the answer out, many at once', async () => {
    const { call, started } = client();
    const sums = await Promise.all(Array.from({ length: 50 }, (_, n) => call('add', [n, 1])));
    expect(sums).toEqual(Array.from({ length: 50 }, (_, n) => n + 1));
    expect(started).toHaveLength(1);
  });

  it('carries errors whole', async () => {
    const { call } = client();
    await expect(call('fail', { known: true })).rejects.toMatchObject({
      name: 'TabmeshError',
      code: 'quota_exceeded',
      message: 'full',
      hint: 'Delete.',
      details: { left: 0 },
    });
    await expect(call('fail', { known: false })).rejects.toMatchObject({ code: 'internal', message: 'surprise' });
    await expect(call('unclonable', undefined as never)).rejects.toMatchObject({ code: 'internal' });
    await expect(call('toString' as never, null as never)).rejects.toMatchObject({ code: 'internal' });
  });

  it('delivers every report before the answer', async () => {
    const { call } = client();
    const seen: unknown[] = [];
    await call('count', 200, { onProgress: (value) => seen.push(value) });
    expect(seen).toEqual(Array.from({ length: 200 }, (_, n) => n + 1));
  });
});

describe('the answer of a call', () => {
  it('waits until the caller has taken every report', async () => {
    const { port1, port2 } = new MessageChannel();
    open.push(port1);
    exposeWorker(handlers(), portEndpoint(port2));
    const surface = wrap<WorkerSurface>(portEndpoint(port1));
    let take: () => void = () => undefined;
    const taken = new Promise<void>((resolve) => {
      take = resolve;
    });
    const reported = new Promise<void>((resolve) => {
      void surface.connect(
        proxy(() => {
          resolve();
          return taken;
        }),
      );
    });
    let answered = false;
    const answer = surface.call(1, 'count', 1).finally(() => {
      answered = true;
    });
    await reported;
    expect(await surface.call(2, 'add', [1, 2])).toEqual({ ok: true, value: 3 });
    expect(answered).toBe(false);
    take();
    expect(await answer).toEqual({ ok: true, value: 1 });
  });
});

describe('the init message', () => {
  it('comes before the first call, and can transfer a port', async () => {
    const { port1, port2 } = new MessageChannel();
    const heard = new Promise((resolve) => {
      port1.onmessage = ({ data }) => {
        resolve(data);
      };
    });
    open.push(port1);
    const { call } = client({ init: () => ({ args: { greeting: 'good day', port: port2 }, transfer: [port2] }) });
    expect(await call('greet', undefined as never)).toBe('good day');
    expect(await heard).toBe('hello from inside');
  });

  it('fails the call when the worker cannot take it, and is sent again to the next worker', async () => {
    let greeting = '';
    const { call, started, terminated } = client({ init: () => ({ args: { greeting } }) });
    await expect(call('greet', undefined as never)).rejects.toMatchObject({ code: 'unsupported' });
    expect(terminated()).toBe(1);
    greeting = 'second try';
    expect(await call('greet', undefined as never)).toBe('second try');
    expect(started).toHaveLength(2);
  });
});

describe('an abort', () => {
  it('reaches the signal of its own call alone, with its reason', async () => {
    const { call, started, terminated } = client();
    const one = new AbortController();
    const first = begun();
    const second = begun();
    const aborted = call('untilAborted', null, { signal: one.signal, onProgress: first.onProgress });
    const other = new AbortController();
    const going = call('answerWhenAborted', null, { signal: other.signal, onProgress: second.onProgress });
    await Promise.all([first.promise, second.promise]);
    one.abort(new TabmeshError('timeout', 'too long'));
    await expect(aborted).rejects.toMatchObject({ code: 'timeout', message: 'too long' });
    other.abort();
    expect(await going).toBe('what there was');
    expect(started).toHaveLength(1);
    expect(terminated()).toBe(0);
  });

  it('before the call means that the worker never hears of it', async () => {
    const { call, started } = client();
    await expect(call('add', [1, 2], { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
    expect(started).toHaveLength(0);
  });

  it('while the worker starts means that the call is not made', async () => {
    const { call, terminated } = client({ init: () => ({ args: { greeting: 'x' } }) });
    const stop = new AbortController();
    const work = call('never', null, { signal: stop.signal });
    stop.abort();
    await expect(work).rejects.toMatchObject({ code: 'cancelled' });
    expect(terminated()).toBe(0);
  });

  it('ends a worker that does not obey; others fail as retryable, and the next call gets a fresh one', async () => {
    const clock = manualClock();
    const { call, started, terminated } = client({ clock, init: () => ({ args: { greeting: 'again' } }) });
    const stop = new AbortController();
    const first = begun();
    const second = begun();
    const stuck = call('never', null, { signal: stop.signal, onProgress: first.onProgress });
    const innocent = call('untilAborted', null, { onProgress: second.onProgress });
    const outcomes = Promise.allSettled([stuck, innocent]);
    await Promise.all([first.promise, second.promise]);
    stop.abort();
    await clock.advance(WORKER_GRACE_MS - 1);
    expect(terminated()).toBe(0);
    await clock.advance(1);
    expect(await outcomes).toMatchObject([
      { status: 'rejected', reason: { code: 'cancelled' } },
      { status: 'rejected', reason: { code: 'internal', retryable: true } },
    ]);
    expect(terminated()).toBe(1);
    expect(await call('greet', undefined as never)).toBe('again');
    expect(started).toHaveLength(2);
  });
});

describe('the end of a worker', () => {
  it('by a crash fails what was in flight as retryable', async () => {
    const { call, started } = client();
    const first = begun();
    const work = call('never', null, { onProgress: first.onProgress });
    const outcome = Promise.allSettled([work]);
    await first.promise;
    started[0]?.dispatchEvent(Object.assign(new Event('error'), { message: 'out of memory' }));
    expect(await outcome).toMatchObject([
      { reason: { code: 'internal', retryable: true, message: expect.stringContaining('out of memory') as unknown } },
    ]);
    expect(await call('add', [1, 1])).toBe(2);
    expect(started).toHaveLength(2);
  });

  it('by close fails what was in flight as cancelled', async () => {
    const { call, close } = client();
    const first = begun();
    const outcome = Promise.allSettled([call('never', null, { onProgress: first.onProgress })]);
    await first.promise;
    close();
    expect(await outcome).toMatchObject([{ reason: { code: 'cancelled' } }]);
  });

  it('before it began, when it cannot be made, is a typed error', async () => {
    const broken = createWorkerClient<Handlers>(() => {
      throw new DOMException('no workers here', 'SecurityError');
    });
    await expect(broken.call('add', [1, 2])).rejects.toMatchObject({ code: 'unsupported' });
  });
});
