import { describe, expect, it } from 'vitest';
import type { FetchAnswer, FetchPort } from '../../../src/contracts/fetch.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import { createProcessGate } from '../../../src/research/gate.ts';
import type { RequestGate } from '../../../src/research/gate.ts';
import { createRequestQueue, MAX_RETRIES, MAX_RETRY_AFTER_MS } from '../../../src/research/request-queue.ts';
import { retryAfterMs } from '../../../src/research/retry-after.ts';
import { manualClock, settle } from '../../support/manual-clock.ts';
import { answerOf, errorOf } from './support.ts';

const SPACING_MS = 334;
/** A minute outlasts every back-off of one request. */
const LONG_MS = 60_000;

type Step = FetchAnswer | TabmeshError;

/** A queue over a scripted service; each request takes the next step, the last one stays. */
function setUp(script: readonly Step[], gate: RequestGate = createProcessGate(), clock = manualClock()) {
  const starts: number[] = [];
  const fetch: FetchPort = {
    get: () => {
      const step = script[Math.min(starts.length, script.length - 1)];
      starts.push(clock.now());
      return step instanceof TabmeshError ? Promise.reject(step) : Promise.resolve(step ?? answerOf(200, ''));
    },
  };
  const queue = createRequestQueue({ fetch, gate, clock, random: () => 0.5, spacingMs: SPACING_MS, service: 'PubMed' });
  const controller = new AbortController();
  const get = () => queue.get('https://example.org/', { signal: controller.signal, accept: '*/*' });
  return { clock, starts, get, controller };
}

const gaps = (starts: readonly number[]) => starts.slice(1).map((start, index) => start - (starts[index] ?? 0));
const ok = answerOf(200, 'fine');
const failure = (status: number, headers = {}) => answerOf(status, 'trouble', headers);

describe('spacing', () => {
  it('answers at once but starts no request earlier than the spacing allows', async () => {
    const { clock, starts, get } = setUp([ok]);
    const answers = [get(), get(), get()];
    expect((await answers[0])?.status).toBe(200);
    await clock.advance(LONG_MS);
    await Promise.all(answers);
    expect(gaps(starts)).toEqual([SPACING_MS, SPACING_MS]);
  });

  it('is kept over all queues of one gate', async () => {
    const gate = createProcessGate();
    const clock = manualClock();
    const [one, other] = [setUp([ok], gate, clock), setUp([ok], gate, clock)];
    const answers = [one.get(), other.get(), one.get()];
    await clock.advance(LONG_MS);
    await Promise.all(answers);
    expect(gaps([...one.starts, ...other.starts].sort((a, b) => a - b))).toEqual([SPACING_MS, SPACING_MS]);
  });

  it('holds the others back while the service asks for a pause', async () => {
    const { clock, starts, get } = setUp([failure(429, { 'retry-after': '20' }), ok]);
    const answers = [get(), get()];
    await clock.advance(19_999);
    expect(starts).toHaveLength(1);
    await clock.advance(LONG_MS);
    await Promise.all(answers);
    expect(gaps(starts)).toEqual([20_000, SPACING_MS]);
  });
});

describe('retries', () => {
  it.each([429, 500, 502, 503, 504])('asks again after %i, with growing pauses', async (status) => {
    const { clock, starts, get } = setUp([failure(status), failure(status), failure(status), ok]);
    const answer = get();
    await clock.advance(LONG_MS);
    expect((await answer).body).toEqual(ok.body);
    expect(gaps(starts)).toEqual([750, 1500, 3000]);
  });

  it('asks again after a network failure', async () => {
    const { clock, starts, get } = setUp([new TabmeshError('upstream_unreachable', 'connection refused'), ok]);
    const answer = get();
    await clock.advance(LONG_MS);
    await answer;
    expect(starts).toHaveLength(2);
  });

  it.each([
    [failure(429), 'upstream_throttled'],
    [failure(503), 'upstream_error'],
    [new TabmeshError('upstream_unreachable', 'connection refused'), 'upstream_unreachable'],
  ])('gives up in the end', async (step, code) => {
    const { clock, starts, get } = setUp([step]);
    const error = errorOf(get());
    await clock.advance(LONG_MS);
    expect(await error).toMatchObject({ code, retryable: code !== 'upstream_unreachable' });
    expect(starts).toHaveLength(1 + MAX_RETRIES);
  });

  it.each([
    [failure(400), 'upstream_error'],
    [failure(404), 'upstream_error'],
    [failure(302), 'upstream_error'],
    [new TabmeshError('timeout', 'silence'), 'timeout'],
    [new TabmeshError('upstream_too_large', 'endless'), 'upstream_too_large'],
    [new TabmeshError('upstream_blocked', 'not allowed'), 'upstream_blocked'],
  ])('does not repeat what would fail again', async (step, code) => {
    const { clock, starts, get } = setUp([step, ok]);
    const error = errorOf(get());
    await clock.advance(LONG_MS);
    expect((await error).code).toBe(code);
    expect(starts).toHaveLength(1);
  });

  it('goes on with the next request after a failed one', async () => {
    const { clock, get } = setUp([failure(400), ok]);
    const [failed, fine] = [errorOf(get()), get()];
    await clock.advance(LONG_MS);
    expect((await failed).code).toBe('upstream_error');
    expect((await fine).status).toBe(200);
  });
});

describe('Retry-After', () => {
  it('is waited for when it is longer than the back-off', async () => {
    const { clock, starts, get } = setUp([failure(503, { 'retry-after': '7' }), ok]);
    const answer = get();
    await clock.advance(LONG_MS);
    await answer;
    expect(gaps(starts)).toEqual([7000]);
  });

  it('beyond the cap ends the request, and the caller learns how long', async () => {
    const seconds = MAX_RETRY_AFTER_MS / 1000 + 1;
    const { starts, get } = setUp([failure(429, { 'retry-after': `${seconds}` }), ok]);
    expect(await errorOf(get())).toMatchObject({
      code: 'upstream_throttled',
      hint: expect.stringContaining(`in ${seconds} s`) as string,
      details: { status: 429, retryAfterMs: seconds * 1000 },
    });
    expect(starts).toHaveLength(1);
  });

  it('is seconds or an HTTP date', () => {
    const now = Date.UTC(2026, 0, 1);
    expect(retryAfterMs('120', now)).toBe(120_000);
    expect(retryAfterMs('Thu, 01 Jan 2026 00:00:05 GMT', now)).toBe(5000);
    expect(retryAfterMs('Wed, 31 Dec 2025 00:00:00 GMT', now)).toBe(0);
    expect(retryAfterMs('soon', now)).toBeNull();
    expect(retryAfterMs('', now)).toBeNull();
    expect(retryAfterMs(undefined, now)).toBeNull();
  });
});

describe('cancelling', () => {
  it('while the request waits for a retry', async () => {
    const { clock, starts, get, controller } = setUp([failure(503), ok]);
    const error = errorOf(get());
    await settle();
    controller.abort();
    expect((await error).code).toBe('cancelled');
    await clock.advance(LONG_MS);
    expect(starts).toHaveLength(1);
  });

  it('while it stands in line', async () => {
    const { clock, starts, get, controller } = setUp([ok]);
    await get();
    const error = errorOf(get());
    controller.abort(new DOMException('too slow', 'TimeoutError'));
    expect((await error).code).toBe('timeout');
    await clock.advance(LONG_MS);
    expect(starts).toHaveLength(1);
  });

  it('reports a failure that follows from the abort as the abort', async () => {
    const controller = new AbortController();
    const fetch: FetchPort = {
      get: () => {
        controller.abort();
        return Promise.reject(new TypeError('network'));
      },
    };
    const gate = createProcessGate();
    const queue = createRequestQueue({
      fetch,
      gate,
      clock: manualClock(),
      random: () => 0,
      spacingMs: 0,
      service: 'X',
    });
    const error = await errorOf(queue.get('https://example.org/', { signal: controller.signal, accept: '*/*' }));
    expect(error.code).toBe('cancelled');
  });
});

describe('the process gate', () => {
  it('keeps the order when somebody leaves the line', async () => {
    const gate = createProcessGate();
    const stay = new AbortController().signal;
    const leave = new AbortController();
    const first = Promise.withResolvers<undefined>();
    const order: string[] = [];
    const step = (name: string) => () => {
      order.push(name);
      return Promise.resolve();
    };
    const running = gate.run(() => first.promise, stay);
    const left = errorOf(gate.run(step('left'), leave.signal));
    const last = gate.run(step('last'), stay);
    leave.abort();
    expect((await left).code).toBe('cancelled');
    await settle();
    expect(order).toEqual([]);
    first.resolve(undefined);
    await Promise.all([running, last]);
    expect(order).toEqual(['last']);
  });
});
