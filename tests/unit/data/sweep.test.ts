import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeviceBlocks } from '../../../src/contracts/dataset.ts';
import type { DatasetAddress } from '../../../src/data/blocks.ts';
import { datasetBlocks } from '../../../src/data/blocks.ts';
import { encodeBlock } from '../../../src/data/codec.ts';
import { readDataset, readManifest, readRecords } from '../../../src/data/read.ts';
import { sweepBlocks, type SweepRoots } from '../../../src/data/sweep.ts';
import { writeDataset } from '../../../src/data/write.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { CidString } from '../../../src/lib/ids.ts';
import { createBlockStore } from '../../../src/mesh/storage/blocks.ts';
import { createMemoryStore } from '../../../src/mesh/storage/kv-memory.ts';
import { collected, failure, NEVER, provenance, record } from './support.ts';

/** Sleeps for no time, and counts how often others had a turn. */
function promptClock(): Clock & { readonly turns: () => number } {
  let turns = 0;
  return {
    now: () => 0,
    turns: () => turns,
    sleep: (_, signal) => {
      turns++;
      return signal?.aborted === true ? Promise.reject(signal.reason as Error) : Promise.resolve();
    },
  };
}

const sweep = (blocks: DeviceBlocks, roots: Partial<SweepRoots>, signal: AbortSignal = NEVER) =>
  sweepBlocks(blocks, { kept: [], unlisted: [], ...roots }, { clock: promptClock(), signal });

const memory = () => createBlockStore(createMemoryStore());
const listed = async (blocks: DeviceBlocks) => new Set(await collected(blocks.list()));

function write(blocks: DeviceBlocks, ids: readonly (string | number)[]): Promise<DatasetAddress> {
  const records = ids.map((id) => record(String(id)));
  return writeDataset({ records, name: `of ${ids.join()}`, provenance: provenance() }, blocks, NEVER);
}

async function putBatch(blocks: DeviceBlocks, run: string, id: number): Promise<CidString> {
  const batch = await encodeBlock({ run, records: [record(String(id))] }, 'a batch');
  await blocks.putMany([batch]);
  return batch.cid;
}

async function expectWhole(blocks: DeviceBlocks, { data, manifest }: DatasetAddress): Promise<void> {
  const { count } = await readDataset(data, blocks, NEVER);
  expect(await readRecords(data, 0, count + 1, blocks, NEVER)).toHaveLength(count);
  expect((await readManifest(manifest, blocks, NEVER)).data).toBe(data);
}

const anyIds = fc.uniqueArray(fc.nat({ max: 12 }), { minLength: 1, maxLength: 8 });

/** A device's store: datasets that share records, of each whether it is kept and which of its blocks are missing. */
const anyStore = fc.record({
  kept: fc.array(anyIds, { maxLength: 4 }),
  unlisted: fc.array(anyIds, { maxLength: 2 }),
  /** copies that were broken off: how many of their blocks had come */
  partial: fc.array(fc.tuple(anyIds, fc.nat({ max: 10 })), { maxLength: 3 }),
  batches: fc.array(fc.nat({ max: 12 }), { maxLength: 4 }),
});

async function build({ kept, unlisted, partial, batches }: typeof anyStore extends fc.Arbitrary<infer T> ? T : never) {
  const blocks = memory();
  const writeAll = async (all: readonly (readonly number[])[]) => {
    const written: DatasetAddress[] = [];
    for (const ids of all) written.push(await write(blocks, ids));
    return written;
  };
  const roots: SweepRoots = { kept: await writeAll(kept), unlisted: await writeAll(unlisted) };
  const expected = await listed(blocks);
  const source = memory();
  for (const [ids, come] of partial) {
    const dataset = await write(source, ids);
    const cids = await collected(datasetBlocks(dataset, source, NEVER));
    for (const cid of cids.slice(0, come)) await blocks.putMany([{ cid, bytes: await source.get(cid) }]);
  }
  for (const id of batches) await putBatch(blocks, 'dead', id);
  return { blocks, roots, expected };
}

describe('a sweep', () => {
  it('leaves every kept dataset whole and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(anyStore, async (content) => {
        const { blocks, roots, expected } = await build(content);
        const before = (await listed(blocks)).size;
        const { deleted, kept } = await sweep(blocks, roots);
        expect(await listed(blocks)).toEqual(expected);
        expect([deleted, kept]).toEqual([before - expected.size, expected.size]);
        for (const dataset of [...roots.kept, ...roots.unlisted]) await expectWhole(blocks, dataset);
        expect(await sweep(blocks, roots)).toEqual({ deleted: 0, kept });
      }),
      { numRuns: 60 },
    );
  });

  it('that is interrupted anywhere, or whose disk fails, loses nothing and can be done again', async () => {
    await fc.assert(
      fc.asyncProperty(anyStore, fc.nat({ max: 60 }), fc.boolean(), async (content, after, abort) => {
        const { blocks, roots, expected } = await build(content);
        const controller = new AbortController();
        let calls = 0;
        const strike = () => {
          if (calls++ !== after) return;
          if (!abort) throw new TabmeshError('storage_failed', 'the disk');
          controller.abort(new TabmeshError('cancelled', 'enough'));
        };
        const fragile: DeviceBlocks = {
          ...blocks,
          get: (cid, signal) => {
            strike();
            return blocks.get(cid, signal);
          },
          async *list(signal) {
            for await (const cid of blocks.list(signal)) {
              strike();
              yield cid;
            }
          },
          // one by one, so that it can be cut off within a group
          deleteMany: async (cids, signal) => {
            for (const cid of cids) {
              strike();
              await blocks.delete(cid, signal);
            }
          },
        };
        const outcome = await failure(sweep(fragile, roots, controller.signal));
        expect([undefined, abort ? 'cancelled' : 'storage_failed']).toContain(outcome);
        for (const dataset of [...roots.kept, ...roots.unlisted]) await expectWhole(blocks, dataset);
        await sweep(blocks, roots);
        expect(await listed(blocks)).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it('deletes nothing while any block of a kept dataset is missing', async () => {
    const whole = memory();
    const damaged = await write(whole, [1, 2, 3]);
    for (const lost of await collected(datasetBlocks(damaged, whole, NEVER))) {
      const blocks = memory();
      await write(blocks, [1, 2, 3]);
      const other = await write(blocks, [7]);
      await putBatch(blocks, 'dead', 1);
      await blocks.delete(lost);
      const before = await listed(blocks);
      await expect(sweep(blocks, { kept: [other, damaged] })).rejects.toMatchObject({
        code: 'not_found',
        details: { cid: lost, dataset: damaged.data },
      });
      expect(await listed(blocks)).toEqual(before);
    }
  });

  it('deletes nothing while the pages of a kept dataset cannot be read', async () => {
    const blocks = memory();
    const kept = await write(blocks, [1, 2, 3]);
    const [, , page] = await collected(datasetBlocks(kept, blocks, NEVER));
    if (page === undefined) throw new Error('a dataset has a page');
    await blocks.putMany([{ cid: page, bytes: Uint8Array.of(1) }]);
    await putBatch(blocks, 'dead', 1);
    const before = await listed(blocks);
    expect(await failure(sweep(blocks, { kept: [kept] }))).toBe('corrupt');
    expect(await listed(blocks)).toEqual(before);
  });

  it('takes what is left of a dataset that is not listed and not whole', async () => {
    const blocks = memory();
    const kept = await write(blocks, [1, 2]);
    const before = await listed(blocks);
    const torn = await write(blocks, [2, 3]);
    await blocks.delete(torn.data);
    await sweep(blocks, { kept: [kept], unlisted: [torn] });
    expect(await listed(blocks)).toEqual(before);
  });

  it('leaves alone what arrives while it is going on', async () => {
    const blocks = memory();
    const kept = await write(blocks, [1]);
    await putBatch(blocks, 'dead', 1);
    const arrived: CidString[] = [];
    const arrive = async () => {
      if (arrived.length < 2) arrived.push(await putBatch(blocks, 'late', arrived.length));
    };
    const busy: DeviceBlocks = {
      ...blocks,
      get: async (cid, signal) => {
        await arrive();
        return blocks.get(cid, signal);
      },
      deleteMany: async (cids, signal) => {
        await arrive();
        return blocks.deleteMany(cids, signal);
      },
    };
    expect(await sweep(busy, { kept: [kept] })).toMatchObject({ deleted: 1 });
    expect(arrived).toHaveLength(2);
    for (const cid of arrived) expect(await blocks.has(cid)).toBe(true);
  });

  it('lets others have a turn, however much there is', async () => {
    const blocks = memory();
    const kept = await write(
      blocks,
      Array.from({ length: 2_500 }, (_, n) => n),
    );
    const clock = promptClock();
    await sweepBlocks(blocks, { kept: [kept], unlisted: [] }, { clock, signal: NEVER });
    expect(clock.turns()).toBeGreaterThanOrEqual(4);
    await sweepBlocks(blocks, { kept: [], unlisted: [] }, { clock, signal: NEVER });
    expect(clock.turns()).toBeGreaterThanOrEqual(4 + 2 + 9);
  });
});
