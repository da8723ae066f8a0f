import { encode } from '@ipld/dag-cbor';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DeviceBlocks } from '../../src/contracts/dataset.ts';
import { encodeBlock, type Block } from '../../src/data/codec.ts';
import { readManifest, readRecords } from '../../src/data/read.ts';
import { sweepBlocks } from '../../src/data/sweep.ts';
import { writeDataset } from '../../src/data/write.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { testCid } from '../support/replica.ts';
import { collected, provenance, record } from '../unit/data/support.ts';

export interface DeviceBlocksSubject {
  readonly blocks: DeviceBlocks;
  dispose(): Promise<void>;
}

const signal = new AbortController().signal;

/** What every {@link DeviceBlocks} does, wherever the bytes are. */
export function deviceBlocksContract(name: string, make: () => Promise<DeviceBlocksSubject>): void {
  describe(`DeviceBlocks contract: ${name}`, () => {
    let subject: DeviceBlocksSubject;
    let blocks: DeviceBlocks;
    const listed = async () => new Set(await collected(blocks.list()));
    const put = async (count: number): Promise<Block[]> => {
      const made = await Promise.all(Array.from({ length: count }, (_, n) => encodeBlock({ n }, 'a block')));
      await blocks.putMany(made);
      return made;
    };

    beforeEach(async () => {
      subject = await make();
      blocks = subject.blocks;
    });
    afterEach(async () => {
      await subject.dispose();
    });

    it('returns the bytes that were put, and says what it lacks', async () => {
      const [block] = await put(1);
      expect(Uint8Array.from(await blocks.get(block?.cid ?? testCid(0)))).toEqual(encode({ n: 0 }));
      expect(await blocks.has(testCid(0))).toBe(false);
      await expect(blocks.get(testCid(0))).rejects.toMatchObject({ code: 'not_found' });
    });

    it('returns many in their order, and says when it lacks one', async () => {
      const made = (await put(3)).map(({ cid }) => cid);
      const found = await blocks.getMany(made.toReversed());
      expect(found.map((bytes) => Uint8Array.from(bytes))).toEqual([2, 1, 0].map((n) => encode({ n })));
      await expect(blocks.getMany([...made, testCid(0)])).rejects.toMatchObject({ code: 'not_found' });
    });

    it('holds what a map would, whatever is put, put again and deleted', async () => {
      const sizes = fc.oneof(fc.nat(300), fc.constantFrom(100_000, 262_144, 300_000, 1_000_000));
      const made = await Promise.all(
        fc.sample(sizes, 30).map((size, n) => encodeBlock({ n, filling: new Uint8Array(size).fill(n) }, 'a block')),
      );
      const some = fc.subarray(made, { maxLength: 12 });
      const step = fc.record({ put: some, deleted: some });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 5 }), async (steps) => {
          await blocks.deleteMany(made.map(({ cid }) => cid));
          const model = new Map<string, Uint8Array>();
          for (const { put: added, deleted } of steps) {
            await blocks.putMany(added);
            for (const { cid, bytes } of added) model.set(cid, bytes);
            await blocks.deleteMany(deleted.map(({ cid }) => cid));
            for (const { cid } of deleted) model.delete(cid);
            expect((await collected(blocks.list())).toSorted()).toEqual([...model.keys()].toSorted());
            const here = made.filter(({ cid }) => model.has(cid));
            const many = await blocks.getMany(here.map(({ cid }) => cid));
            const each = await Promise.all(here.map(({ cid }) => blocks.get(cid)));
            for (const [index, { bytes }] of here.entries()) {
              expect(Buffer.compare(many[index] ?? bytes.subarray(1), bytes)).toBe(0);
              expect(Buffer.compare(each[index] ?? bytes.subarray(1), bytes)).toBe(0);
            }
            const known = await Promise.all(made.map(({ cid }) => blocks.has(cid)));
            expect(known).toEqual(made.map(({ cid }) => model.has(cid)));
          }
        }),
        { numRuns: 15 },
      );
    });

    it('takes a block from a larger buffer, and keeps only the block', async () => {
      const { cid, bytes } = await encodeBlock({ n: 'a view' }, 'a block');
      const frame = new Uint8Array(1_000);
      frame.set(bytes, 500);
      await blocks.putMany([{ cid, bytes: frame.subarray(500, 500 + bytes.byteLength) }]);
      frame.fill(0);
      const kept = await blocks.get(cid);
      expect(Uint8Array.from(kept)).toEqual(bytes);
      expect(kept.buffer.byteLength).toBeLessThan(1_000);
      await expect(blocks.get('no address' as typeof cid)).rejects.toThrow();
    });

    it('lists what is here, each block once, by the address that it was put under', async () => {
      expect(await collected(blocks.list())).toEqual([]);
      const made = await put(40);
      await put(3);
      const all = await collected(blocks.list());
      expect(all.toSorted()).toEqual(made.map(({ cid }) => cid).toSorted());
    });

    it('deletes many, those too that are not here', async () => {
      const [first, second, ...others] = (await put(30)).map(({ cid }) => cid);
      await blocks.deleteMany([...others, testCid(0)]);
      await blocks.deleteMany([]);
      expect(await listed()).toEqual(new Set([first, second]));
    });

    it('stops listing when asked to', async () => {
      await put(2);
      await expect(collected(blocks.list(AbortSignal.abort()))).rejects.toThrow();
    });

    it('is left by a sweep with what is kept, whole, and nothing else', async () => {
      const write = (ids: readonly string[]) =>
        writeDataset(
          { records: ids.map((id) => record(id)), name: ids.join(), provenance: provenance() },
          blocks,
          signal,
        );
      const kept = await write(['1', '2']);
      const before = await listed();
      await write(['2', '3']);
      await put(300);
      const result = await sweepBlocks(blocks, { kept: [kept], unlisted: [] }, { clock: systemClock, signal });
      expect(await listed()).toEqual(before);
      expect(result).toEqual({ deleted: 304, kept: 5 });
      expect(await readRecords(kept.data, 0, 9, blocks, signal)).toHaveLength(2);
      expect((await readManifest(kept.manifest, blocks, signal)).data).toBe(kept.data);
    });
  });
}
