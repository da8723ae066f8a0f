import { describe, expect, it } from 'vitest';
import type { ShardAnswer } from '../../../src/contracts/search.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { CidString, DeviceId, PeerId } from '../../../src/lib/ids.ts';
import { searchRoom, type RoomSearchContext, type RoomShard } from '../../../src/search/room.ts';
import { manualClock, settle } from '../../support/manual-clock.ts';
import { answer, hit } from './answers.ts';

const shard = (device: string, ask: RoomShard['ask']): RoomShard => ({
  device: device as DeviceId,
  name: `name of ${device}`,
  peer: `peer of ${device}` as PeerId,
  direct: true,
  ask,
});
const answering = (device: string, given: ShardAnswer): RoomShard => shard(device, () => Promise.resolve(given));
const silent = (device: string): RoomShard => shard(device, () => new Promise(() => undefined));
const dataset = (id: string, ...heldBy: string[]) => ({ dataset: id as CidString, name: `set ${id}`, heldBy });

function setUp(shards: readonly RoomShard[], more: Partial<RoomSearchContext> = {}) {
  const clock = manualClock();
  const controller = new AbortController();
  const context: RoomSearchContext = { shards, away: [], datasets: [], clock, timeoutMs: 1_000, ...more };
  const search = (query = 'sleep', topK = 10) => searchRoom({ query, topK }, context, controller.signal);
  return {
    clock,
    search,
    cancel: () => {
      controller.abort();
    },
  };
}

describe('searchRoom', () => {
  it('asks every shard for the same and merges what they answer', async () => {
    const asked: unknown[] = [];
    const recording = shard('b', (request) => {
      asked.push(request);
      return Promise.resolve(answer([hit('y', 2)], ['d2'], 5));
    });
    const { search } = setUp([answering('a', answer([hit('x', 3), hit('y', 1)], ['d1'], 7)), recording]);
    const result = await search('sleep', 4);
    expect(asked).toEqual([{ query: 'sleep', topK: 4 }]);
    expect(result.hits.map(({ recordId, device }) => [recordId, device])).toEqual([
      ['x', 'a'],
      ['y', 'b'],
    ]);
    // 7 and 5, of which one record is known to be the same
    expect(result.total).toBe(11);
    expect(result.missing).toEqual([]);
    expect(result.devices).toMatchObject([
      { status: 'answered', device: 'a', peer: 'peer of a', hits: 2, searched: 10, direct: true },
      { status: 'answered', device: 'b', hits: 1 },
    ]);
  });

  it('counts what a copy of a shard finds once, whatever is asked for', async () => {
    const whole = answer([hit('x', 3)], ['d1', 'd2'], 18);
    const copy = answer([hit('y', 2)], ['d2', 'd1'], 18);
    const part = answer([hit('x', 3)], ['d2'], 4);
    const other = answer([hit('z', 1)], ['d3'], 5);
    const total = async (...answers: ShardAnswer[]) => {
      const shards = answers.map((each, i) => answering(`device ${i}`, each));
      return (await setUp(shards).search('sleep', 1)).total;
    };
    expect(await total(whole, copy)).toBe(18);
    expect(await total(part, whole, copy)).toBe(18);
    expect(await total(whole, other)).toBe(23);
    expect(await total(answer([hit('x', 1)], ['d1'], 1), answer([hit('y', 1)], ['d1'], 1))).toBe(2);
  });

  it('names the devices that are away and the datasets that nobody who answered covers', async () => {
    const failing = shard('b', () => Promise.reject(new TabmeshError('storage_failed', 'the disk is gone')));
    const away = [{ device: 'c' as DeviceId, name: 'Amber Heron', datasets: ['d3' as CidString] }];
    const datasets = [dataset('d1', 'name of a'), dataset('d2', 'name of b'), dataset('d3', 'Amber Heron')];
    const { search } = setUp([answering('a', answer([hit('x', 1)], ['d1'])), failing], { away, datasets });
    const result = await search();
    expect(result.hits).toHaveLength(1);
    expect(result.devices.slice(1)).toMatchObject([
      { status: 'failed', device: 'b', error: { code: 'storage_failed' } },
      { status: 'away', device: 'c', datasets: ['d3'] },
    ]);
    expect(result.missing.map((missing) => [missing.name, missing.heldBy])).toEqual([
      ['set d2', ['name of b']],
      ['set d3', ['Amber Heron']],
    ]);
  });

  it('does not wait longer than the limit for a shard that is silent', async () => {
    const { search, clock } = setUp([silent('a'), answering('b', answer([hit('x', 1)]))]);
    const searching = search();
    await clock.advance(1_000);
    const result = await searching;
    expect(result.hits).toHaveLength(1);
    expect(result.devices[0]).toMatchObject({ status: 'failed', error: { code: 'timeout' } });
    expect(result.tookMs).toBe(1_000);
    expect(clock.sleepers()).toBe(0);
  });

  it('measures the round trip of each shard', async () => {
    const { search, clock } = setUp([shard('a', () => clock.sleep(30).then(() => answer([])))]);
    const searching = search();
    await clock.advance(30);
    expect((await searching).devices[0]).toMatchObject({ status: 'answered', tookMs: 30 });
  });

  it.each([
    [
      'a thrown value',
      () => {
        throw new Error('bug');
      },
      'tool_failed',
    ],
    [
      'more hits than asked for',
      () => Promise.resolve(answer(Array.from({ length: 11 }, (_, i) => hit(String(i), 1)))),
      'invalid_output',
    ],
    ['scores that are no numbers', () => Promise.resolve(answer([hit('x', Number.NaN)])), 'invalid_output'],
  ])('reports %s as that device failing', async (_what, ask, code) => {
    const { search } = setUp([shard('a', ask), answering('b', answer([hit('x', 1)]))]);
    const result = await search();
    expect(result.devices[0]).toMatchObject({ status: 'failed', error: { code } });
    expect(result.hits).toHaveLength(1);
  });

  it('asks a bounded number of shards at once, and all of them', async () => {
    let now = 0;
    let most = 0;
    let clock = manualClock();
    const slow = (device: string) =>
      shard(device, async () => {
        now += 1;
        most = Math.max(most, now);
        await clock.sleep(10);
        now -= 1;
        return answer([hit(device, 1)]);
      });
    const set = setUp(Array.from({ length: 40 }, (_, i) => slow(`device ${String(i)}`)));
    clock = set.clock;
    const searching = set.search('sleep', 40);
    await clock.advance(100);
    expect((await searching).hits).toHaveLength(40);
    expect(most).toBe(16);
  });

  it('stops when cancelled and tells the shards', async () => {
    let told: unknown;
    const listening = shard('a', (_request, signal) => {
      signal.addEventListener('abort', () => {
        told = signal.reason;
      });
      return new Promise(() => undefined);
    });
    const { search, cancel, clock } = setUp([listening]);
    const searching = search();
    await settle();
    cancel();
    await expect(searching).rejects.toMatchObject({ code: 'cancelled' });
    expect(told).toMatchObject({ code: 'cancelled' });
    expect(clock.sleepers()).toBe(0);
  });

  it.each([
    ['', 10],
    ['the', 0],
  ])('asks nobody when the query is %j and topK %d', async (query, topK) => {
    let asked = false;
    const { search } = setUp([
      shard('a', () => {
        asked = true;
        return Promise.resolve(answer([]));
      }),
    ]);
    await expect(search(query, topK)).rejects.toMatchObject({ code: 'invalid_input' });
    expect(asked).toBe(false);
  });

  it('is empty in an empty room', async () => {
    expect(await setUp([]).search()).toMatchObject({ hits: [], total: 0, devices: [], missing: [] });
  });
});
