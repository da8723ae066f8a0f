import { describe, expect, it } from 'vitest';
import type { CallRequest, CallResult } from '../../../src/contracts/tools.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { DeviceId } from '../../../src/lib/ids.ts';
import { ToolMetrics } from '../../../src/monitor/tool-metrics.ts';
import { createRoutedTools } from '../../../src/tools/room-tools.ts';
import { notSent } from '../../../src/tools/remote.ts';
import { loggedEvents } from '../../support/logged.ts';
import { manualClock, settle } from '../../support/manual-clock.ts';
import { appPrincipal, cidOf, selfDevice, tokenPrincipal } from '../../support/ports.ts';
import { peerId, roomPeer, testRemotes, type RoomPeer } from '../../support/room.ts';
import { testRouter } from '../../support/router.ts';
import { sampleTool } from '../../support/tools.ts';

const tool = sampleTool();
const { metadata } = tool;
const repeatable = sampleTool({ idempotent: true }).metadata;
const request: CallRequest = { tool: 'sample', args: { text: 'here' }, principal: appPrincipal };
const chosen = (result: CallResult) => result.route?.chosen.peer;
const code = (result: CallResult) => (result.ok ? 'ok' : result.error.code);
const hang = () => new Promise<never>(() => undefined);
const lost = () => Promise.reject(new TabmeshError('peer_unreachable', 'lost', { retryable: true }));
const gone = () => Promise.reject(notSent('gone'));

describe('the place of a call', () => {
  const pair = (a: Partial<RoomPeer>, b: Partial<RoomPeer>, offered = metadata) =>
    testRouter(testRemotes(roomPeer('a', [offered], a), roomPeer('b', [offered], b)));

  it.each([
    ['less busy', { load: 0.9 }, 'busy 90 % of the time'],
    ['better fed', { battery: { level: 0.1, charging: false } }, 'its battery is low'],
  ])('is the %s of two', async (_, state, reason) => {
    const result = await pair(state, {}).call(request);
    expect(chosen(result)).toBe('b');
    expect(result.route?.candidates[1]?.reasons).toContain(reason);
  });

  it('is where the data is that the arguments name, even before this tab itself', async () => {
    const data = cidOf(7);
    const holders = (cid: string) => (cid === data ? new Set(['device-b' as DeviceId]) : undefined);
    const remotes = testRemotes(roomPeer('a', [metadata]), roomPeer('b', [metadata]));
    const result = await testRouter(remotes, { own: [tool], holders }).call({ ...request, args: { text: data } });
    expect(chosen(result)).toBe('b');
    expect(result.route?.candidates[0]?.reasons).toContain('holds the data');
    expect(chosen(await testRouter(remotes, { own: [tool], holders }).call(request))).toBe('peer-self');
  });

  it('weighs much data over a relayed link, and much memory in a hidden tab', async () => {
    const io = sampleTool({ ioIntensive: true }).metadata;
    expect(
      chosen(await pair({ direct: false, latencyMs: 0 }, { visible: false, latencyMs: 400 }, io).call(request)),
    ).toBe('b');
    const memory = sampleTool({ memoryIntensive: true }).metadata;
    const hidden = await pair({ visible: false }, { latencyMs: 490, load: 0.9 }, memory).call(request);
    expect(chosen(hidden)).toBe('b');
  });

  it('leaves a busy tab for heavy work, when another is free', async () => {
    const heavy = sampleTool({ cpuIntensive: true });
    const own = { own: [heavy], condition: () => ({ load: 1, battery: { level: 0.1, charging: false } }) };
    const remotes = testRemotes(roomPeer('a', [heavy.metadata], { latencyMs: 0, load: 0 }));
    expect(chosen(await testRouter(remotes, own).call(request))).toBe('a');
    const fed = { ...own, condition: () => ({ load: 1, battery: null }) };
    expect(chosen(await testRouter(remotes, fed).call(request))).toBe('peer-self');
    const light = sampleTool();
    const other = testRemotes(roomPeer('a', [light.metadata], { latencyMs: 0, load: 0 }));
    expect(chosen(await testRouter(other, { ...own, own: [light] }).call(request))).toBe('peer-self');
  });

  it('becomes another when one turns out to be slow', async () => {
    const clock = manualClock();
    const serve = (ms: number) => async () => (await clock.sleep(ms), { text: 'x' });
    const remotes = testRemotes(
      roomPeer('a', [metadata], { serve: serve(500) }),
      roomPeer('b', [metadata], { serve: serve(5) }),
    );
    const router = testRouter(remotes, { clock });
    for (const place of ['a', 'b', 'a', 'b', 'a', 'b']) {
      const ended = router.call({ ...request, place: peerId(place) });
      await clock.advance(500);
      await ended;
    }
    const plan = router.plan(request);
    expect(plan.chosen?.peer).toBe('b');
    expect(plan.candidates[1]?.reasons).toContain('takes 100.0 times as long as the fastest');
  });

  it("of a tool that keeps state stays the same for a principal's whole group, while it is there", async () => {
    const group = ['one', 'two'].map((name) => sampleTool({ name, sticky: 'group' }).metadata);
    const remotes = testRemotes(roomPeer('a', group), roomPeer('b', group));
    const draws = [0.9, 0.9, 0, 0, 0, 0];
    const router = testRouter(remotes, { random: () => draws.shift() ?? 0 });
    const call = (name: string, principal = request.principal) => router.call({ ...request, tool: name, principal });
    expect(chosen(await call('one'))).toBe('b');
    const second = await call('two');
    expect(chosen(second)).toBe('b');
    expect(second.route?.why).toBe('it keeps what earlier calls have left there');
    expect(chosen(await call('two', tokenPrincipal))).toBe('a');
    remotes.set([roomPeer('a', group)]);
    expect(chosen(await call('one'))).toBe('a');
  });

  it('of a tool that speaks of its own peer is here, unless the call names another', async () => {
    const local = sampleTool({ local: true });
    const remotes = testRemotes(roomPeer('a', [local.metadata]));
    const router = testRouter(remotes, { own: [local], kind: 'relay' });
    expect(chosen(await router.call(request))).toBe('peer-self');
    expect(chosen(await router.call({ ...request, place: peerId('a') }))).toBe('a');
  });

  it("of a tool that changes data is the caller's own device, when it is here", async () => {
    const write = sampleTool({ access: 'write' });
    const remotes = testRemotes(roomPeer('a', [write.metadata]));
    const plan = testRouter(remotes, { own: [write] }).plan(request);
    expect(plan.chosen?.device).toBe(selfDevice);
    expect(plan.candidates[1]?.excluded).toContain("caller's own device");
    expect(testRouter(remotes).plan(request).chosen?.peer).toBe('a');
  });

  it('comes after others for a moment when it refused since it was full', async () => {
    const clock = manualClock();
    const full = () =>
      Promise.reject(new TabmeshError('rate_limited', 'full', { details: { retryAfterMs: 5000 }, retryable: true }));
    const remotes = testRemotes(roomPeer('a', [repeatable], { serve: full }), roomPeer('b', [repeatable]));
    const router = testRouter(remotes, { clock });
    expect(chosen(await router.call(request))).toBe('b');
    expect(router.plan(request).candidates[1]?.reasons).toContain('was full a moment ago');
    await clock.advance(5000);
    expect(router.plan(request).chosen?.peer).toBe('a');
  });
});

describe('circuit breakers', () => {
  const setUp = (serve: RoomPeer['serve']) => {
    const clock = manualClock();
    let now = serve;
    const remotes = testRemotes(roomPeer('a', [metadata], { serve: (args, options) => now(args, options) }));
    const router = testRouter(remotes, { clock });
    const calls = async (n: number) => {
      for (let i = 0; i < n; i++) await router.call(request);
    };
    const mend = () => {
      now = () => Promise.resolve({ text: 'well' });
    };
    return { clock, remotes, router, calls, mend };
  };

  it('open after five failures in a row, and then nothing is asked of the place', async () => {
    const { remotes, router, calls } = setUp(lost);
    await calls(4);
    expect(router.breakers.list()).toEqual([]);
    await calls(1);
    const refused = await router.call(request);
    expect(code(refused)).toBe('no_place');
    expect(refused.ok ? null : refused.error.details['retryAfterMs']).toBe(60_000);
    expect(remotes.calls).toHaveLength(5);
    expect(router.plan(request)).toMatchObject({ chosen: null, why: expect.stringContaining('in a row') as string });
    expect(router.plan(request).candidates[0]?.excluded).toContain('tried again in 60 s');
  });

  it('try one call after a minute: closed when it goes well, open again when not', async () => {
    const { clock, remotes, router, calls, mend } = setUp(lost);
    await calls(5);
    await clock.advance(60_000);
    expect(router.breakers.list()).toMatchObject([{ state: 'half-open', retryAfterMs: 0 }]);
    expect(code(await router.call(request))).toBe('peer_unreachable');
    expect(router.breakers.list()).toMatchObject([{ state: 'open', failures: 6, retryAfterMs: 60_000 }]);
    await clock.advance(60_000);
    mend();
    expect(code(await router.call(request))).toBe('ok');
    expect(router.breakers.list()).toEqual([]);
    expect(remotes.calls).toHaveLength(7);
  });

  it('let only one call try, while others are told to wait', async () => {
    const { clock, remotes, router, calls } = setUp(lost);
    await calls(5);
    await clock.advance(60_000);
    const [first, second] = await Promise.all([router.call(request), router.call(request)]);
    expect([code(first), code(second)]).toEqual(['peer_unreachable', 'no_place']);
    expect(remotes.calls).toHaveLength(6);
  });

  it('are closed by hand, and half-open for a peer that has come again', async () => {
    const { remotes, router, calls, mend } = setUp(lost);
    await calls(5);
    expect(router.breakers.reset(peerId('z'), null)).toBe(0);
    expect(router.breakers.reset(null, 'sample')).toBe(1);
    await calls(5);
    expect(code(await router.call(request))).toBe('no_place');
    const here = remotes.list() as readonly RoomPeer[];
    remotes.set([]);
    await router.call(request);
    mend();
    remotes.set(here);
    expect(code(await router.call(request))).toBe('ok');
  });

  it("are not moved by the caller's own doing: errors of the tool, cancelling, haste", async () => {
    const clock = manualClock();
    const serves = [
      () => Promise.reject(new TabmeshError('not_found', 'no such record')),
      () => Promise.reject(new TabmeshError('upstream_error', 'PubMed is down')),
    ];
    for (const serve of [...serves, hang]) {
      const router = testRouter(testRemotes(roomPeer('a', [metadata], { serve })), { clock });
      for (let i = 0; i < 8; i++) {
        const ended = router.call(request, { timeoutMs: 100 });
        await clock.advance(100);
        await ended;
        await router.call(request, { signal: AbortSignal.abort() });
      }
      expect(router.breakers.list()).toEqual([]);
    }
  });

  it('count a place that hangs for as long as the tool may take', async () => {
    const { clock, router } = setUp(hang);
    for (let i = 0; i < 5; i++) {
      const ended = router.call(request);
      await clock.advance(1000);
      expect(code(await ended)).toBe('timeout');
    }
    expect(router.breakers.list()).toMatchObject([{ peer: 'a', tool: 'sample', state: 'open' }]);
  });
});

describe('a retry policy', () => {
  const flaky = (fails: number, failing = lost) => {
    let left = fails;
    return () => (left-- > 0 ? failing() : Promise.resolve({ text: 'at last' }));
  };
  const router = (retry: 'none' | 'fixed' | 'linear' | 'exponential', serve: RoomPeer['serve'], idempotent = true) => {
    const clock = manualClock();
    const remotes = testRemotes(
      roomPeer('a', [sampleTool({ retry, idempotent, timeoutMs: 60_000 }).metadata], { serve }),
    );
    return { clock, remotes, router: testRouter(remotes, { clock, random: () => 1 }) };
  };

  it.each([
    ['fixed', [200, 400, 600]],
    ['linear', [200, 600, 1200]],
    ['exponential', [200, 600, 1400]],
  ] as const)('%s waits and tries three times more', async (retry, times) => {
    const { clock, remotes, router: tools } = router(retry, flaky(99));
    const start = clock.now();
    const at: number[] = [];
    const ended = tools.call(request);
    await settle();
    for (let seen = remotes.calls.length; clock.now() - start < 5000;) {
      await clock.advance(50);
      if (remotes.calls.length > seen) at.push(clock.now() - start);
      seen = remotes.calls.length;
    }
    expect(at).toEqual(times);
    expect(code(await ended)).toBe('peer_unreachable');
    expect(tools.counts().retried).toBe(3);
  });

  it('of none tries nothing twice at the same place', async () => {
    const { remotes, router: tools } = router('none', flaky(1));
    expect(code(await tools.call(request))).toBe('peer_unreachable');
    expect(remotes.calls).toEqual(['a']);
  });

  it('never begins again what has begun, unless that is harmless; what never left is begun again', async () => {
    const begun = router('fixed', flaky(1), false);
    expect(code(await begun.router.call(request))).toBe('peer_unreachable');
    expect(begun.remotes.calls).toEqual(['a']);
    const never = router('fixed', flaky(1, gone), false);
    const ended = never.router.call(request);
    await never.clock.advance(200);
    expect(await ended).toMatchObject({ ok: true, value: { text: 'at last' } });
  });

  it('tries an answer again that says when, and not before', async () => {
    const later = () =>
      Promise.reject(
        new TabmeshError('upstream_throttled', 'too many', { retryable: true, details: { retryAfterMs: 3000 } }),
      );
    const { clock, remotes, router: tools } = router('exponential', flaky(1, later));
    const ended = tools.call(request);
    await clock.advance(2999);
    expect(remotes.calls).toHaveLength(1);
    await clock.advance(1);
    expect(code(await ended)).toBe('ok');
  });

  it('does not wait beyond the deadline: the error comes at once', async () => {
    const { clock, router: tools } = router('fixed', flaky(9));
    const start = clock.now();
    expect(code(await tools.call(request, { timeoutMs: 100 }))).toBe('peer_unreachable');
    expect(clock.now()).toBe(start);
  });

  it('does not wait for an open circuit breaker: that answers at once', async () => {
    const { clock, router: tools } = router('fixed', flaky(99), false);
    for (let i = 0; i < 5; i++) await tools.call(request);
    const start = clock.now();
    expect(code(await tools.call(request))).toBe('no_place');
    expect(clock.now()).toBe(start);
  });
});

describe('hedging', () => {
  const setUp = (offered = repeatable) => {
    const clock = manualClock();
    let slow = false;
    const stopped: string[] = [];
    const serve =
      (name: string, ms: number): RoomPeer['serve'] =>
      async (_args, { signal }) => {
        signal.addEventListener('abort', () => stopped.push(name));
        await clock.sleep(slow && name === 'a' ? 900 : ms);
        return { text: name };
      };
    const remotes = testRemotes(
      roomPeer('a', [offered], { serve: serve('a', 30), latencyMs: 1 }),
      roomPeer('b', [offered], { serve: serve('b', 30), latencyMs: 200 }),
    );
    const router = testRouter(remotes, { clock });
    const call = async (ms = 1000) => {
      const ended = router.call(request);
      await clock.advance(ms);
      return ended;
    };
    const learn = async () => {
      for (let i = 0; i < 20; i++) await call(30);
      remotes.calls.length = 0;
      slow = true;
    };
    return { clock, remotes, router, call, learn, stopped };
  };

  it('asks a second place when the first takes longer than 95 of 100 calls, takes the faster, stops the other', async () => {
    const { remotes, router, call, learn, stopped } = setUp();
    await learn();
    const result = await call(61);
    expect(result).toMatchObject({ ok: true, value: { text: 'b' } });
    expect(result.tookMs).toBe(60);
    expect(chosen(result)).toBe('b');
    expect(remotes.calls).toEqual(['a', 'b']);
    expect(stopped).toEqual(['a']);
    expect(router.counts()).toMatchObject({ hedged: 1, running: 0 });
    expect(
      router
        .plan(request)
        .candidates.flatMap(({ reasons }) => reasons)
        .join(),
    ).not.toContain('in flight');
  });

  it.each([
    ['has not been called often enough', repeatable, 5],
    ['does not bear to be begun twice', metadata, 25],
    ['asks the world outside', sampleTool({ idempotent: true, openWorld: true }).metadata, 25],
    ['keeps state', sampleTool({ idempotent: true, sticky: 'group' }).metadata, 25],
  ])('is not for a tool that %s', async (_, offered, times) => {
    const { clock, remotes, router, call } = setUp(offered);
    for (let i = 0; i < times; i++) await call(30);
    remotes.set((remotes.list() as readonly RoomPeer[]).map((peer) => ({ ...peer, serve: hang })));
    remotes.calls.length = 0;
    const ended = router.call(request);
    await clock.advance(1000);
    expect(code(await ended)).toBe('timeout');
    expect(remotes.calls).toHaveLength(1);
  });

  it('is for one call in ten at most, once what was saved is spent', async () => {
    const { remotes, router, learn, call } = setUp();
    await learn();
    remotes.set((remotes.list() as readonly RoomPeer[]).map((peer) => ({ ...peer, serve: hang })));
    for (let i = 0; i < 4; i++) await call(1000);
    for (let i = 0; i < 40; i++) {
      router.breakers.reset(null, null);
      await call(1000);
    }
    expect(router.counts().hedged).toBeLessThanOrEqual(7 + 44 / 10);
  });
});

describe('what is told of calls', () => {
  it('each run is booked where it ran, and a fallback before the start is no second run', async () => {
    const remotes = testRemotes(
      roomPeer('a', [metadata], { serve: gone }),
      roomPeer('r', [metadata], { kind: 'relay', direct: false, visible: false }),
    );
    const router = testRouter(remotes);
    await router.call(request);
    expect(router.samples).toMatchObject([{ runtime: 'relay', place: 'r', ok: true }]);
  });

  it('a call that could run nowhere is booked as unknown', async () => {
    const remotes = testRemotes(roomPeer('a', [sampleTool({ runtime: 'relay' }).metadata]));
    const router = testRouter(remotes);
    expect(code(await router.call(request))).toBe('no_place');
    expect(router.samples).toMatchObject([{ runtime: 'unknown', place: null, ok: false }]);
  });

  it('RR48: a tool whose record is incomplete can be called; a deprecated one warns each time', async () => {
    const { log, events } = loggedEvents();
    const old = { ...metadata, description: '', deprecation: 'use echo' };
    const router = testRouter(testRemotes(roomPeer('a', [old])), { log });
    const [first] = [await router.call(request), await router.call(request)];
    expect(first).toMatchObject({ ok: true, route: { warnings: ['sample is deprecated: use echo'] } });
    expect(events).toEqual(['deprecated tool called', 'deprecated tool called']);
  });

  it('RR62: fifty calls at once on both runtimes: all results, fifty requests, no error', async () => {
    const relayOnly = sampleTool({ name: 'other', runtime: 'relay' }).metadata;
    const remotes = testRemotes(roomPeer('a', [metadata]), roomPeer('r', [relayOnly], { kind: 'relay' }));
    const router = testRouter(remotes);
    const metrics = new ToolMetrics({ clock: manualClock() });
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, i) => router.call({ ...request, tool: i % 2 === 0 ? 'sample' : 'other' })),
    );
    for (const sample of router.samples) metrics.book(sample);
    expect(results.every(({ ok }) => ok)).toBe(true);
    expect(metrics.getRuntimeStats()).toMatchObject({
      totalRequests: 50,
      totalErrors: 0,
      byRuntime: { mesh: { requests: 25 }, relay: { requests: 25 } },
    });
  });

  it('a plan runs nothing and chooses as a call would', async () => {
    const remotes = testRemotes(roomPeer('a', [metadata], { latencyMs: 400 }), roomPeer('b', [metadata]));
    const router = testRouter(remotes);
    const plan = router.plan(request);
    expect(remotes.calls).toEqual([]);
    expect(plan).toMatchObject({ tool: 'sample', runtime: 'mesh', why: 'the highest score', chosen: { peer: 'b' } });
    expect(chosen(await router.call(request))).toBe('b');
    expect(() => router.plan({ ...request, tool: 'nothing' })).toThrow('no tool named');
  });
});

describe('the tools of a room', () => {
  const routed = (load?: () => Promise<ReturnType<typeof testRouter>>) => {
    const clock = manualClock();
    let finish: () => void = () => undefined;
    const serve = () =>
      new Promise((resolve) => {
        finish = () => {
          resolve({ text: 'x' });
        };
      });
    const router = testRouter(testRemotes(roomPeer('a', [metadata], { serve })), { clock });
    const places = { ...router, known: () => [], offers: () => undefined, names: () => [] };
    const tools = createRoutedTools({ places, load: load ?? (() => Promise.resolve(router)), clock });
    return {
      clock,
      tools,
      finish: () => {
        finish();
      },
    };
  };

  it('RR65: closing lets a call in flight end, and begins no more', async () => {
    const { tools, finish } = routed();
    const ended = tools.call(request);
    await settle();
    const closed = tools.close(1000);
    expect(code(await tools.call(request))).toBe('cancelled');
    finish();
    await closed;
    expect(code(await ended)).toBe('ok');
  });

  it('closing waits no longer than it is told to', async () => {
    const { clock, tools } = routed();
    void tools.call(request);
    await settle();
    const closed = tools.close(1000);
    await clock.advance(1000);
    await closed;
    expect(clock.sleepers()).toBe(0);
  });

  it('a router that cannot be loaded is a typed error, and is loaded by the next call', async () => {
    let failures = 1;
    const { clock } = routed();
    const router = testRouter(testRemotes(roomPeer('a', [metadata])), { clock });
    const { tools } = routed(() => (failures-- > 0 ? Promise.reject(new Error('offline')) : Promise.resolve(router)));
    expect(await tools.call(request)).toMatchObject({ ok: false, error: { code: 'internal', retryable: true } });
    expect(code(await tools.call(request))).toBe('ok');
  });
});
