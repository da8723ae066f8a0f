import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import { PeerBudget } from '../../../src/mesh/rpc/budget.ts';
import { MEMBER_QUOTAS } from '../../../src/mesh/rpc/quotas.ts';
import { manualClock, settle } from '../../support/manual-clock.ts';
import { never, rawPair, sessionPair as pair } from '../../support/rpc-pair.ts';

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
    await expect.poll(() => b.session.serving).toBe(1);
    controller.abort(new TabmeshError('cancelled', 'enough'));
    await expect(answer).rejects.toMatchObject({ code: 'cancelled' });
    await expect.poll(() => cancelled).toMatchObject({ code: 'cancelled' });
    await expect.poll(() => b.session.serving).toBe(0);
    expect(a.framed.receivedBytes).toBe(0);
  });

  it('gives up after its time limit and says so to the other side', async () => {
    const [a, b] = pair(never);
    await expect(a.session.request('slow', {}, { timeoutMs: 10 })).rejects.toMatchObject({
      code: 'timeout',
      details: { method: 'slow' },
    });
    await expect.poll(() => b.session.serving).toBe(0);
  });

  it('fails what waits when the stream ends, and cancels what it serves', async () => {
    let cancelled = false;
    const [a, b] = pair((method, params, context) => {
      context.signal.addEventListener('abort', () => (cancelled = true));
      return never(method, params, context);
    });
    const answer = a.session.request('x', {});
    await expect.poll(() => b.session.serving).toBe(1);
    b.framed.abort(new Error('gone'));
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
    ['an answer with both', '{"jsonrpc":"2.0","id":1,"result":1,"error":{"code":1,"message":""}}'],
    ['a request without a usable id', '{"jsonrpc":"2.0","id":null,"method":"x"}'],
    ['a method that is no name', '{"jsonrpc":"2.0","id":1,"method":7}'],
  ])('ends on %s, and says why', async (_what, text) => {
    const [raw, { session }] = rawPair(never);
    raw.say(text);
    await expect.poll(() => session.closed).toBe(true);
    expect(raw.heard).toMatchObject([{ id: null, error: { data: { details: { token: 'payload_not_object' } } } }]);
  });

  it('shares its budget with the other streams of the peer', () => {
    const budget = new PeerBudget({ ...MEMBER_QUOTAS, inFlight: 1 }, systemClock);
    expect(budget.beginRequest()).toBe(true);
    expect(budget.beginRequest()).toBe(false);
    budget.endRequest();
    expect(budget.beginRequest()).toBe(true);
  });

  it('ends on a flood', async () => {
    const [raw, { session }] = rawPair(() => Promise.resolve({}), {
      quotas: { messageBurst: 3, messagesPerSecond: 0 },
    });
    for (let id = 0; id < 4; id++) raw.say({ jsonrpc: '2.0', id, method: 'ping' });
    await expect.poll(() => session.closed).toBe(true);
  });

  it('answers a ping while all places for requests are taken', async () => {
    const [a] = pair((method, ...rest) => (method === 'ping' ? Promise.resolve({}) : never(method, ...rest)), {
      quotas: { inFlight: 1 },
    });
    const busy = a.session.request('x', {});
    await expect(a.session.request('ping', {})).resolves.toEqual({});
    a.framed.abort(new Error('enough'));
    await expect(busy).rejects.toMatchObject({ code: 'peer_unreachable' });
  });

  it('says nothing more when nothing has happened for its idle time, and closes', async () => {
    const clock = manualClock();
    const [raw, { session }] = rawPair(never, { clock, idleMs: 1_000 });
    await clock.advance(900);
    raw.say({ jsonrpc: '2.0', method: 'notifications/hello' });
    await settle();
    await clock.advance(900);
    expect(session.closed).toBe(false);
    await clock.advance(200);
    expect(session.closed).toBe(true);
    expect(raw.heard).toMatchObject([{ id: null, error: { data: { details: { token: 'idle_timeout' } } } }]);
  });

  it('is not idle while a request runs, whichever side has asked', async () => {
    const clock = manualClock();
    const [a, b] = pair(never, { clock, idleMs: 1_000 });
    const answer = a.session.request('slow', {}, { timeoutMs: 5_000 });
    answer.catch(() => undefined);
    await clock.advance(4_000);
    expect([a.session.closed, b.session.closed]).toEqual([false, false]);
    await clock.advance(1_001);
    await expect(answer).rejects.toMatchObject({ code: 'timeout' });
    await clock.advance(2_000);
    expect([a.session.closed, b.session.closed]).toEqual([true, true]);
  });

  it('is idle when a frame comes a byte at a time, and not while a large one comes', async () => {
    const clock = manualClock();
    const [slow, one] = rawPair(never, { clock, idleMs: 1_000 });
    const [large, two] = rawPair(never, { clock, idleMs: 1_000 });
    slow.sayBytes(new Uint8Array([0, 1, 0, 0]));
    large.sayBytes(new Uint8Array([0, 1, 0, 0]));
    for (let i = 0; i < 3; i++) {
      slow.sayBytes(new Uint8Array(1));
      large.sayBytes(new Uint8Array(16 * 1024));
      await clock.advance(600);
    }
    expect([one.session.closed, two.session.closed]).toEqual([true, false]);
  });
});
