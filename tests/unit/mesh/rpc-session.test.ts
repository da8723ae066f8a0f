import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import { PeerBudget } from '../../../src/mesh/rpc/budget.ts';
import type { FramedStream } from '../../../src/mesh/rpc/framed-stream.ts';
import { encodeMessage } from '../../../src/mesh/rpc/messages.ts';
import { MEMBER_QUOTAS } from '../../../src/mesh/rpc/quotas.ts';
import type { RequestHandler } from '../../../src/mesh/rpc/session.ts';
import { RpcSession } from '../../../src/mesh/rpc/session.ts';

interface End {
  readonly session: RpcSession;
  /** everything this end has sent, decoded */
  readonly sent: Record<string, unknown>[];
  readonly stream: FramedStream;
}

/** Two sessions, each other's other end. */
function pair(
  serve: RequestHandler,
  options: { maxBytes?: number; quotas?: Partial<typeof MEMBER_QUOTAS> } = {},
): [End, End] {
  const ends: End[] = [];
  const make = (index: number, handler: RequestHandler): End => {
    const sent: Record<string, unknown>[] = [];
    let closed = false;
    const end = () => {
      if (closed) return;
      closed = true;
      for (const each of ends) each.stream.abort(new Error('the other end is gone'));
      ends[index]?.session.ended();
    };
    const stream: FramedStream = {
      send(payload) {
        if (closed) return Promise.reject(new TabmeshError('peer_unreachable', 'closed', { details: { sent: false } }));
        if (payload.byteLength > (options.maxBytes ?? Infinity)) {
          return Promise.reject(new TabmeshError('payload_too_large', 'too large for a frame'));
        }
        sent.push(JSON.parse(new TextDecoder().decode(payload)) as Record<string, unknown>);
        queueMicrotask(() => ends[1 - index]?.session.receive(payload));
        return Promise.resolve();
      },
      close: () => {
        end();
        return Promise.resolve();
      },
      abort: end,
      get closed() {
        return closed;
      },
    };
    const quotas = { ...MEMBER_QUOTAS, ...options.quotas };
    return { session: new RpcSession({ stream, handler, budget: new PeerBudget(quotas, systemClock) }), sent, stream };
  };
  ends.push(make(0, serve), make(1, serve));
  return [ends[0]!, ends[1]!];
}

const never: RequestHandler = (_method, _params, { signal }) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });

describe('an RPC session', () => {
  it('answers many requests in flight, each its own', async () => {
    const [a] = pair((_method, params) => Promise.resolve({ twice: (params['n'] as number) * 2 }));
    const answers = await Promise.all([...Array(50).keys()].map((n) => a.session.request('double', { n })));
    expect(answers).toEqual([...Array(50).keys()].map((n) => ({ twice: n * 2 })));
    expect(a.session.inFlight).toBe(0);
  });

  it('carries errors unchanged, but for the mark that only the own hop may set', async () => {
    const [a] = pair(() =>
      Promise.reject(
        new TabmeshError('rate_limited', 'slow down', {
          hint: 'Wait.',
          retryable: true,
          details: { retryAfterMs: 5, sent: false },
        }),
      ),
    );
    const error = await a.session.request('x', {}).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'rate_limited', message: 'slow down', hint: 'Wait.', retryable: true });
    expect((error as TabmeshError).details).toEqual({ retryAfterMs: 5 });
  });

  it('carries progress to the request that asked, before its answer', async () => {
    const [a] = pair((_method, params, { notify }) => {
      const token = (params['_meta'] as { progressToken: number }).progressToken;
      notify('notifications/progress', { progressToken: token, progress: 1 });
      notify('notifications/progress', { progressToken: token, progress: 2 });
      return Promise.resolve('done');
    });
    const seen: unknown[] = [];
    await a.session.request('x', {}, { onProgress: ({ progress }) => seen.push(progress) });
    expect(seen).toEqual([1, 2]);
  });

  it('cancels at the other side, which then sends no answer', async () => {
    let cancelled: unknown;
    const [a, b] = pair((method, params, context) => {
      context.signal.addEventListener('abort', () => (cancelled = context.signal.reason));
      return never(method, params, context);
    });
    const controller = new AbortController();
    const answer = a.session.request('x', {}, { signal: controller.signal });
    await expect.poll(() => a.sent.length).toBe(1);
    controller.abort(new TabmeshError('cancelled', 'enough'));
    await expect(answer).rejects.toMatchObject({ code: 'cancelled' });
    await expect.poll(() => cancelled).toMatchObject({ code: 'cancelled' });
    expect(b.sent).toEqual([]);
  });

  it('gives up after its time limit and says so to the other side', async () => {
    const [a] = pair(never);
    await expect(a.session.request('slow', {}, { timeoutMs: 10 })).rejects.toMatchObject({
      code: 'timeout',
      details: { method: 'slow' },
    });
    expect(a.sent.at(-1)).toMatchObject({ method: 'notifications/cancelled' });
  });

  it('fails what waits when the stream ends, and cancels what it serves', async () => {
    let cancelled = false;
    const [a, b] = pair((method, params, context) => {
      context.signal.addEventListener('abort', () => (cancelled = true));
      return never(method, params, context);
    });
    const answer = a.session.request('x', {});
    await expect.poll(() => a.sent.length).toBe(1);
    b.stream.abort(new Error('gone'));
    await expect(answer).rejects.toMatchObject({ code: 'peer_unreachable', details: { sent: true } });
    expect(cancelled).toBe(true);
    await expect(a.session.request('x', {})).rejects.toMatchObject({ details: { sent: false } });
  });

  it('refuses more requests at once than it allows, and runs none of them', async () => {
    let started = 0;
    const [a] = pair(
      (...args) => {
        started++;
        return never(...args);
      },
      { quotas: { inFlight: 2 } },
    );
    void a.session.request('x', {}).catch(() => undefined);
    void a.session.request('x', {}).catch(() => undefined);
    await expect(a.session.request('x', {})).rejects.toMatchObject({
      code: 'rate_limited',
      details: { token: 'in_flight_quota_exceeded' },
    });
    expect(started).toBe(2);
  });

  it('refuses an id that is in flight', async () => {
    const [a, b] = pair(never);
    const request = encodeMessage({ jsonrpc: '2.0', id: 7, method: 'x' });
    b.session.receive(request);
    b.session.receive(request);
    await expect.poll(() => b.sent.length).toBe(1);
    expect(b.sent[0]).toMatchObject({ id: 7, error: { data: { token: 'duplicate_in_flight_id' } } });
    expect(a.session.closed).toBe(false);
  });

  it('says when an answer is too large instead of leaving the caller to its timeout', async () => {
    const [a] = pair(() => Promise.resolve('x'.repeat(5_000)), { maxBytes: 2_000 });
    await expect(a.session.request('big', {})).rejects.toMatchObject({ code: 'payload_too_large' });
  });

  it.each([
    ['no JSON', '{'],
    ['an array', '[]'],
    ['another protocol', '{"jsonrpc":"1.0","id":1,"method":"x"}'],
    ['params that are no object', '{"jsonrpc":"2.0","id":1,"method":"x","params":[1]}'],
    ['an answer without result or error', '{"jsonrpc":"2.0","id":1}'],
  ])('ends on %s', (_what, text) => {
    const [, b] = pair(never);
    b.session.receive(new TextEncoder().encode(text));
    expect(b.session.closed).toBe(true);
  });

  it('shares its budget with the other streams of the peer', () => {
    const budget = new PeerBudget({ ...MEMBER_QUOTAS, inFlight: 1 }, systemClock);
    expect(budget.beginRequest()).toBe(true);
    expect(budget.beginRequest()).toBe(false);
    budget.endRequest();
    expect(budget.beginRequest()).toBe(true);
  });

  it('ends on a flood', () => {
    const [, b] = pair(() => Promise.resolve({}), { quotas: { messageBurst: 3, messagesPerSecond: 0 } });
    for (let id = 0; id < 4; id++) b.session.receive(encodeMessage({ jsonrpc: '2.0', id, method: 'ping' }));
    expect(b.session.closed).toBe(true);
  });
});
