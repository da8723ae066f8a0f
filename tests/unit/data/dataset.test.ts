import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LiteratureRecord } from '../../../src/contracts/records.ts';
import { encodeBlock } from '../../../src/data/codec.ts';
import { PAGE_RECORDS } from '../../../src/data/pages.ts';
import { readDataset, readManifest, readRecord, readRecords } from '../../../src/data/read.ts';
import { writeDataset } from '../../../src/data/write.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { CidString } from '../../../src/lib/ids.ts';
import { anyRecord, failure, memoryBlocks, NEVER, provenance, record } from './support.ts';

function dataset(records: readonly LiteratureRecord[]) {
  return { records, name: 'sleep', provenance: provenance() };
}

function byId(a: LiteratureRecord, b: LiteratureRecord): number {
  return a.id < b.id ? -1 : 1;
}

describe('writing a dataset', () => {
  it('gives the same records the same address in whatever order they come', async () => {
    const shuffled = fc
      .array(anyRecord, { maxLength: 30 })
      .chain((records) => fc.tuple(fc.constant(records), fc.shuffledSubarray(records, { minLength: records.length })));
    await fc.assert(
      fc.asyncProperty(shuffled, async ([records, other]) => {
        const first = await writeDataset(dataset(records), memoryBlocks(), NEVER);
        const second = await writeDataset(dataset([...other, ...other.slice(0, 3)]), memoryBlocks(), NEVER);
        expect(second).toEqual(first);
        expect(first.count).toBe(new Set(records.map(({ id }) => id)).size);
      }),
      { numRuns: 40 },
    );
  });

  it('gives other records another address', async () => {
    const first = await writeDataset(dataset([record('1')]), memoryBlocks(), NEVER);
    const second = await writeDataset(dataset([record('1', { title: 'Corrected' })]), memoryBlocks(), NEVER);
    expect(second.data).not.toBe(first.data);
  });

  it('keeps times and provenance out of the data address', async () => {
    const blocks = memoryBlocks();
    const first = await writeDataset(dataset([record('1')]), blocks, NEVER);
    const later = { ...dataset([record('1')]), provenance: provenance({ finishedAt: '2030-01-01T00:00:00.000Z' }) };
    const second = await writeDataset(later, blocks, NEVER);
    expect(second.data).toBe(first.data);
    expect(second.manifest).not.toBe(first.manifest);
    expect(await readManifest(second.manifest, blocks, NEVER)).toEqual({
      format: 'tabmesh/dataset-manifest',
      version: 1,
      data: first.data,
      name: 'sleep',
      provenance: later.provenance,
    });
  });

  it('never stores a root before what it names', async () => {
    const blocks = memoryBlocks();
    let writes = 0;
    blocks.beforePut = () => {
      if (++writes === 2) throw new TabmeshError('quota_exceeded', 'full');
    };
    expect(await failure(writeDataset(dataset([record('1'), record('2')]), blocks, NEVER))).toBe('quota_exceeded');
    expect(blocks.held.size).toBe(3);
    blocks.beforePut = () => undefined;
    const { data } = await writeDataset(dataset([record('1'), record('2')]), blocks, NEVER);
    expect((await readDataset(data, blocks, NEVER)).count).toBe(2);
  });

  it('names the record that is too large for a block', async () => {
    const huge = record('77', { title: 'x'.repeat(1024 * 1024) });
    await expect(writeDataset(dataset([huge]), memoryBlocks(), NEVER)).rejects.toMatchObject({
      code: 'payload_too_large',
      message: expect.stringContaining('pubmed:77') as unknown,
    });
  });

  it('stops when it is cancelled, and has stored nothing', async () => {
    const blocks = memoryBlocks();
    const reason = new Error('enough');
    await expect(writeDataset(dataset([record('1')]), blocks, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(blocks.held.size).toBe(0);
  });
});

describe('reading a dataset', () => {
  it('gives any slice of its records in the order of their ids', { timeout: 60_000 }, async () => {
    const many = Array.from({ length: PAGE_RECORDS + 50 }, (_, n) => record(String(n).padStart(6, '0')));
    const blocks = memoryBlocks();
    const { data, count, bytes } = await writeDataset(dataset(many.toReversed()), blocks, NEVER);
    const root = await readDataset(data, blocks, NEVER);
    expect(root).toMatchObject({ count: many.length, bytes });
    expect(root.pages).toHaveLength(2);
    expect(count).toBe(many.length);
    for (const [offset, limit] of [
      [0, 3],
      [PAGE_RECORDS - 2, 5],
      [count - 1, 10],
      [count, 5],
      [3, 0],
    ] as const) {
      const read = await readRecords(data, offset, limit, blocks, NEVER);
      expect(read.map((entry) => entry.record)).toEqual(many.slice(offset, offset + limit));
    }
  });

  it('opens each record by the address that the slice names', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(anyRecord, { selector: ({ id }) => id }), async (records) => {
        const blocks = memoryBlocks();
        const { data } = await writeDataset(dataset(records), blocks, NEVER);
        const entries = await readRecords(data, 0, records.length, blocks, NEVER);
        expect(entries.map((entry) => entry.record)).toEqual(records.toSorted(byId));
        for (const entry of entries) expect(await readRecord(entry.cid, blocks, NEVER)).toEqual(entry);
      }),
      { numRuns: 20 },
    );
  });

  it('asks for a bounded number of blocks at once', async () => {
    const blocks = memoryBlocks();
    const { data } = await writeDataset(
      dataset(Array.from({ length: 100 }, (_, n) => record(String(n)))),
      blocks,
      NEVER,
    );
    let now = 0;
    let most = 0;
    const source = {
      ...blocks,
      get: async (cid: CidString) => {
        most = Math.max(most, ++now);
        await new Promise(setImmediate);
        now -= 1;
        return blocks.get(cid);
      },
    };
    expect(await readRecords(data, 0, 100, source, NEVER)).toHaveLength(100);
    expect(most).toBe(16);
  });

  it('refuses what is not there, not sound, or not asked properly', async () => {
    const blocks = memoryBlocks();
    const { data, manifest } = await writeDataset(dataset([record('1')]), blocks, NEVER);
    const [entry] = await readRecords(data, 0, 1, blocks, NEVER);
    if (entry === undefined) throw new Error('no record');
    expect(await failure(readRecords(data, -1, 1, blocks, NEVER))).toBe('invalid_input');
    expect(await failure(readRecords(data, 0, 0.5, blocks, NEVER))).toBe('invalid_input');
    expect(await failure(readRecord('../../etc' as CidString, blocks, NEVER))).toBe('invalid_input');
    expect(await failure(readRecord(manifest, blocks, NEVER))).toBe('corrupt');
    blocks.held.set(entry.cid, Uint8Array.from([1]));
    expect(await failure(readRecords(data, 0, 1, blocks, NEVER))).toBe('corrupt');
    blocks.held.delete(entry.cid);
    expect(await failure(readRecords(data, 0, 1, blocks, NEVER))).toBe('not_found');
  });

  it('refuses a root whose count is not that of its pages', async () => {
    const blocks = memoryBlocks();
    const page = await encodeBlock({ records: [] }, 'page');
    const { CID } = await import('multiformats/cid');
    const lying = { format: 'tabmesh/dataset', version: 1, count: 5, bytes: 1, pages: [CID.parse(page.cid)] };
    const root = await encodeBlock(lying, 'root');
    await blocks.putMany([page, root]);
    expect(await failure(readRecords(root.cid, 0, 5, blocks, NEVER))).toBe('corrupt');
  });
});
