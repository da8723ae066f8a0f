import { describe, expect, it } from 'vitest';
import { datasetBlocks, deletableBlocks } from '../../../src/data/blocks.ts';
import { readRecords } from '../../../src/data/read.ts';
import { writeDataset } from '../../../src/data/write.ts';
import { collected, failure, memoryBlocks, NEVER, provenance, record, type MemoryBlocks } from './support.ts';

function write(blocks: MemoryBlocks, name: string, ids: readonly string[]) {
  const records = ids.map((id) => record(id));
  return writeDataset({ records, name, provenance: provenance({ query: name }) }, blocks, NEVER);
}

describe('the blocks of a dataset', () => {
  it('are all that was stored for it, parents first', async () => {
    const blocks = memoryBlocks();
    const dataset = await write(blocks, 'a', ['1', '2', '3']);
    const cids = await collected(datasetBlocks(dataset, blocks, NEVER));
    expect(new Set(cids)).toEqual(new Set(blocks.held.keys()));
    expect(cids.slice(0, 2)).toEqual([dataset.manifest, dataset.data]);
    expect(cids).toHaveLength(6);
  });
});

describe('deleting a dataset', () => {
  it('leaves whole what another dataset shares', async () => {
    const blocks = memoryBlocks();
    const kept = await write(blocks, 'kept', ['1', '2']);
    const before = new Set(blocks.held.keys());
    const gone = await write(blocks, 'gone', ['2', '3']);
    for (const cid of await deletableBlocks(gone, [kept], blocks, NEVER)) await blocks.delete(cid);
    expect(new Set(blocks.held.keys())).toEqual(before);
    expect(await readRecords(kept.data, 0, 9, blocks, NEVER)).toHaveLength(2);
  });

  it('of equal data under two manifests takes the manifest alone', async () => {
    const blocks = memoryBlocks();
    const kept = await write(blocks, 'kept', ['1']);
    const gone = await write(blocks, 'gone', ['1']);
    expect(gone.data).toBe(kept.data);
    expect(await deletableBlocks(gone, [kept], blocks, NEVER)).toEqual([gone.manifest]);
  });

  it('can be done again after it was interrupted anywhere', async () => {
    for (let done = 0; done <= 6; done++) {
      const blocks = memoryBlocks();
      const dataset = await write(blocks, 'a', ['1', '2', '3']);
      const first = await deletableBlocks(dataset, [], blocks, NEVER);
      for (const cid of first.slice(0, done)) await blocks.delete(cid);
      for (const cid of await deletableBlocks(dataset, [], blocks, NEVER)) await blocks.delete(cid);
      expect(blocks.held.size).toBe(0);
    }
  });

  it('is refused while it cannot be told what others use', async () => {
    const blocks = memoryBlocks();
    const kept = await write(blocks, 'kept', ['1']);
    const gone = await write(blocks, 'gone', ['1', '2']);
    await blocks.delete(kept.data);
    expect(await failure(deletableBlocks(gone, [kept], blocks, NEVER))).toBe('not_found');
  });
});
