import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeviceId } from '../../../src/lib/ids.ts';
import { mergeShards, type DeviceShardAnswer } from '../../../src/search/merge.ts';
import { answer, hit } from './answers.ts';

const from = (device: string, ...hits: [string, number][]): DeviceShardAnswer => ({
  device: device as DeviceId,
  name: `name of ${device}`,
  answer: answer(hits.map(([id, score]) => hit(id, score))),
});

describe('mergeShards', () => {
  it('ranks the hits of all, each record once with its best score, and says who else has it', () => {
    const merged = mergeShards([from('a', ['x', 2], ['y', 1]), from('b', ['y', 3]), from('c', ['y', 2])], 10);
    expect(
      merged.map(({ recordId, score, device, deviceName, alsoOn }) => [recordId, score, device, deviceName, alsoOn]),
    ).toEqual([
      ['y', 3, 'b', 'name of b', ['a', 'c']],
      ['x', 2, 'a', 'name of a', []],
    ]);
  });

  it('breaks ties by record id, then device id', () => {
    const merged = mergeShards([from('b', ['y', 1], ['x', 1]), from('a', ['y', 1])], 10);
    expect(merged.map(({ recordId, device }) => [recordId, device])).toEqual([
      ['x', 'b'],
      ['y', 'a'],
    ]);
  });

  it('keeps topK', () => {
    expect(mergeShards([from('a', ['x', 2], ['y', 1])], 1).map(({ recordId }) => recordId)).toEqual(['x']);
    expect(mergeShards([], 5)).toEqual([]);
  });

  it('does not depend on the order of the answers', () => {
    const device = fc.constantFrom('a', 'b', 'c', 'd');
    const scored = fc.tuple(fc.constantFrom('r1', 'r2', 'r3', 'r4', 'r5'), fc.integer({ min: 0, max: 3 }));
    const shard = fc.tuple(device, fc.uniqueArray(scored, { selector: ([id]) => id }));
    const shards = fc
      .uniqueArray(shard, { selector: ([id]) => id })
      .map((all) => all.map(([id, hits]) => from(id, ...hits)));
    const shuffled = shards.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    );
    fc.assert(
      fc.property(shuffled, fc.integer({ min: 1, max: 6 }), ([all, other], topK) => {
        expect(mergeShards(other, topK)).toEqual(mergeShards(all, topK));
      }),
    );
  });
});
