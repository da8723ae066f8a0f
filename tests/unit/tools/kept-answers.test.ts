import { describe, expect, it } from 'vitest';
import type { CallRequest, CallResult } from '../../../src/contracts/tools.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import { manualClock, settle } from '../../support/manual-clock.ts';
import { appPrincipal, tokenPrincipal } from '../../support/ports.ts';
import { peerId, roomPeer, testRemotes, type RoomPeer } from '../../support/room.ts';
import { testRouter } from '../../support/router.ts';
import { sampleTool } from '../../support/tools.ts';

const request: CallRequest = { tool: 'sample', args: { text: 'here' }, principal: appPrincipal };
const chosen = (result: CallResult) => result.route?.chosen.peer;
const code = (result: CallResult) => (result.ok ? 'ok' : result.error.code);
const lost = () => Promise.reject(new TabmeshError('peer_unreachable', 'lost', { retryable: true }));

describe('answers that are kept', () => {
  const kept = sampleTool({ cacheTtlMs: 1000 }).metadata;
  const setUp = (offered = kept, serve?: RoomPeer['serve']) => {
    const clock = manualClock();
    let count = 0;
    const remotes = testRemotes(
      roomPeer('a', [offered], { serve: serve ?? (() => Promise.resolve({ text: `answer ${String(++count)}` })) }),
    );
    return { clock, remotes, router: testRouter(remotes, { clock }) };
  };

  it('are given again for arguments that are equal as JSON, and say so', async () => {
    const { clock, remotes, router } = setUp();
    const args = { text: 'x', more: { b: 1, a: [1.0] } };
    expect(await router.call({ ...request, args })).toMatchObject({ value: { text: 'answer 1' } });
    await clock.advance(999);
    const again = await router.call({ ...request, args: { more: { a: [1], b: 1 }, text: 'x' } });
    expect(again).toMatchObject({ ok: true, value: { text: 'answer 1' }, route: { answeredFrom: 'cache' } });
    expect(chosen(again)).toBe('a');
    await clock.advance(1);
    expect(await router.call({ ...request, args })).toMatchObject({ value: { text: 'answer 2' } });
    expect(remotes.calls).toHaveLength(2);
    expect(router.counts()).toMatchObject({ cacheHits: 1, cacheMisses: 2 });
  });

  it('are for the same principal, arguments and version only, and not for a call that names its place', async () => {
    const { remotes, router } = setUp();
    await router.call(request);
    await router.call({ ...request, principal: tokenPrincipal });
    await router.call({ ...request, args: { text: 'other' } });
    await router.call({ ...request, place: peerId('a') });
    expect(remotes.calls).toHaveLength(4);
    await router.call(request);
    expect(remotes.calls).toHaveLength(4);
  });

  it('may be null, which is not a miss', async () => {
    const { remotes, router } = setUp(kept, () => Promise.resolve(null));
    await router.call(request);
    expect(await router.call(request)).toMatchObject({ ok: true, value: null });
    expect(remotes.calls).toHaveLength(1);
  });

  it('are forgotten when the data change, or the peers that are here', async () => {
    const { remotes, router } = setUp();
    await router.call(request);
    router.forgetAnswers();
    await router.call(request);
    expect(remotes.calls).toHaveLength(2);
    remotes.set([...(remotes.list() as readonly RoomPeer[]), roomPeer('b', [])]);
    await router.call(request);
    expect(remotes.calls).toHaveLength(3);
  });

  it('cannot be changed by who reads them, and failures are not kept', async () => {
    const { router } = setUp();
    await router.call(request);
    const first = await router.call(request);
    if (first.ok) (first.value as { text: string }).text = 'changed';
    expect(await router.call(request)).toMatchObject({ value: { text: 'answer 1' } });
    const failing = setUp(kept, lost);
    await failing.router.call(request);
    await failing.router.call(request);
    expect(failing.remotes.calls).toHaveLength(2);
  });

  it('are 512 at most: the one that was used least lately goes first', async () => {
    const { remotes, router } = setUp();
    const call = (n: number) => router.call({ ...request, args: { text: String(n) } });
    for (let n = 0; n < 512; n++) await call(n);
    await call(0);
    await call(512);
    expect(router.counts().cachedAnswers).toBe(512);
    remotes.calls.length = 0;
    await call(0);
    expect(remotes.calls).toHaveLength(0);
    await call(1);
    expect(remotes.calls).toHaveLength(1);
  });

  it('serve calls alike that run at the same time, each with its own deadline', async () => {
    const clock = manualClock();
    const stopped: string[] = [];
    const serve: RoomPeer['serve'] = async (_args, { signal }) => {
      signal.addEventListener('abort', () => stopped.push('a'));
      await clock.sleep(300);
      return { text: 'a' };
    };
    const remotes = testRemotes(roomPeer('a', [kept], { serve }));
    const router = testRouter(remotes, { clock });
    const first = new AbortController();
    const calls = [
      router.call(request, { signal: first.signal }),
      router.call(request),
      router.call(request, { timeoutMs: 100 }),
    ];
    await settle();
    first.abort();
    await clock.advance(300);
    const results = await Promise.all(calls);
    expect(results.map(code)).toEqual(['cancelled', 'ok', 'timeout']);
    expect(results[1]?.route?.answeredFrom).toBe('shared');
    expect(remotes.calls).toEqual(['a']);
    expect(stopped).toEqual([]);
    router.forgetAnswers();
    const alone = new AbortController();
    const ended = router.call(request, { signal: alone.signal });
    await settle();
    alone.abort();
    expect(code(await ended)).toBe('cancelled');
    await settle();
    expect(stopped).toEqual(['a']);
    expect(clock.sleepers()).toBe(1);
  });
});
