import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WatchedCall } from '../../../src/contracts/calls.ts';
import type { CallRequest } from '../../../src/contracts/tools.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import type { DeviceId, PeerId } from '../../../src/lib/ids.ts';
import { formatTraceparent, newTrace } from '../../../src/lib/traceparent.ts';
import { createRoutedTools } from '../../../src/tools/room-tools.ts';
import { notSent } from '../../../src/tools/remote.ts';
import { createCallFeed, type CallFeed } from '../../../src/tools/watching/feed.ts';
import { jsonSize } from '../../../src/tools/watching/json-size.ts';
import { MAX_REMEMBERED } from '../../../src/tools/watching/observer.ts';
import { appPrincipal, memberPrincipal, selfPeer } from '../../support/ports.ts';
import { roomPeer, testRemotes } from '../../support/room.ts';
import { testRouter } from '../../support/router.ts';
import { failureCode, localTools, sampleTool } from '../../support/tools.ts';

const request: CallRequest = { tool: 'sample', args: { text: 'here' }, principal: appPrincipal };

const feed = (remembers = false): CallFeed => createCallFeed({ self: selfPeer, clock: systemClock, remembers });

/** The last that was told of each call. */
function lastOf(told: readonly WatchedCall[]): readonly WatchedCall[] {
  return [...new Map(told.map((call) => [call.id, call])).values()];
}

describe('a call that is made', () => {
  const { metadata } = sampleTool({ idempotent: true });
  const remotes = testRemotes(
    roomPeer('a', [metadata], { latencyMs: 1, serve: () => Promise.reject(notSent('a is gone')) }),
    roomPeer('b', [metadata], { latencyMs: 100 }),
  );

  function watched(remembers = false) {
    const calls = feed(remembers);
    const router = testRouter(remotes);
    const tools = calls.routed(
      createRoutedTools({
        places: { ...router, subscribe: () => () => undefined } as never,
        clock: systemClock,
        load: () => Promise.resolve(router),
      }),
    );
    return { calls, tools };
  }

  it('is told with every place that was tried, how it ended, and its trace', async () => {
    const { calls, tools } = watched();
    const told: WatchedCall[] = [];
    const stop = calls.watch((call) => told.push(call));
    const trace = newTrace();
    const result = await tools.call(request, { traceparent: formatTraceparent(trace) });
    expect(result).toMatchObject({ ok: true, value: { text: 'b' } });
    expect(told[0]).toMatchObject({
      side: 'made',
      tool: 'sample',
      traceId: trace.id,
      argsSize: 15,
      end: null,
      tries: [],
    });
    expect(lastOf(told)).toMatchObject([
      {
        tries: [
          { place: { peer: 'a' }, why: 'first', error: { code: 'peer_unreachable' } },
          { place: { peer: 'b' }, why: 'next', error: null },
        ],
        end: { error: null, answerSize: 12, route: { chosen: { peer: 'b' } } },
      },
    ]);
    const [call] = lastOf(told);
    expect(call?.tries.every(({ tookMs }) => tookMs !== null && tookMs >= 0)).toBe(true);
    stop();
  });

  it('is not looked at before somebody watches, nor after', async () => {
    const { calls, tools } = watched();
    await tools.call(request);
    const told: WatchedCall[] = [];
    const stop = calls.watch((call) => told.push(call));
    expect(told).toEqual([]);
    await tools.call({ ...request, tool: 'nothing' });
    expect(lastOf(told)).toMatchObject([{ tool: 'nothing', end: { error: { code: 'unknown_tool' }, route: null } }]);
    const { length } = told;
    stop();
    await tools.call(request);
    expect(told).toHaveLength(length);
  });

  it('is remembered from the start where somebody may look later: the newest, as they stand then', async () => {
    const { calls, tools } = watched(true);
    for (let n = 0; n < MAX_REMEMBERED + 3; n++) await tools.call({ ...request, args: { text: String(n) } });
    const gate = Promise.withResolvers<string>();
    const place = { kind: 'peer', peer: 'c' as PeerId, device: 'dc' as DeviceId, name: 'c' } as const;
    const running = calls.sent({ ...request, tool: 'search_shard' }, undefined, place, () => gate.promise);
    const told: WatchedCall[] = [];
    calls.watch((call) => told.push(call));
    expect(told).toHaveLength(MAX_REMEMBERED);
    expect(told[0]).toMatchObject({ id: 5, tool: 'sample', end: { error: null } });
    expect(told.at(-1)).toMatchObject({ tool: 'search_shard', end: null, tries: [{ place, tookMs: null }] });
    gate.resolve('answer');
    await running;
    expect(lastOf(told).at(-1)).toMatchObject({
      tool: 'search_shard',
      end: { error: null, answerSize: 8, route: null },
    });
  });

  it('to a place, past the router, is told with that place, and how it failed', async () => {
    const calls = feed();
    const told: WatchedCall[] = [];
    calls.watch((call) => told.push(call));
    const trace = newTrace();
    const place = { kind: 'peer', peer: 'c' as PeerId, device: 'dc' as DeviceId, name: 'c' } as const;
    const asked = { ...request, tool: 'search_shard', place: place.peer };
    const failing = calls.sent(asked, formatTraceparent(trace), place, () => Promise.reject(notSent('c is gone')));
    expect(await failureCode(() => failing)).toBe('peer_unreachable');
    expect(lastOf(told)).toMatchObject([
      {
        side: 'made',
        traceId: trace.id,
        asked: 'c',
        tries: [{ place, why: 'first', error: { code: 'peer_unreachable' } }],
        end: { error: { code: 'peer_unreachable' }, route: null },
      },
    ]);
  });
});

describe('a call that is served', () => {
  it('is told with its end, also when it is refused; what this peer calls itself is not told twice', async () => {
    const calls = feed();
    const local = calls.local(localTools([sampleTool(), sampleTool({ name: 'writes', access: 'write' })], systemClock));
    const told: WatchedCall[] = [];
    calls.watch((call) => told.push(call));
    expect(await local.call({ ...request, principal: memberPrincipal })).toEqual({ text: 'here' });
    expect(await failureCode(() => local.call({ ...request, tool: 'writes', principal: memberPrincipal }))).toBe(
      'forbidden',
    );
    await local.call(request);
    expect(lastOf(told)).toMatchObject([
      { side: 'served', tool: 'sample', principal: memberPrincipal, end: { error: null, answerSize: 15 } },
      { side: 'served', tool: 'writes', end: { error: { code: 'forbidden' }, answerSize: null } },
    ]);
  });
});

describe('jsonSize', () => {
  it('is the length of the JSON, but for escapes', () => {
    const plain = fc.jsonValue({ stringUnit: fc.constantFrom('a', 'b', ' ', 'é') });
    fc.assert(
      fc.property(plain, (value) => {
        expect(jsonSize(value)).toBe(JSON.stringify(value).length);
      }),
    );
  });

  it('stops counting', () => {
    expect(jsonSize('x'.repeat(300_000))).toBeNull();
    expect(jsonSize(Array.from({ length: 1_000_000 }, () => 1))).toBeNull();
    expect(jsonSize({ a: 'x'.repeat(200_000) })).toBeGreaterThan(200_000);
    const deep: unknown[] = [];
    let inner = deep;
    for (let n = 0; n < 100; n++) {
      const next: unknown[] = [];
      inner.push(next);
      inner = next;
    }
    expect(jsonSize(deep)).toBeNull();
  });
});
