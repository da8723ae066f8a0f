import { describe, expect, it } from 'vitest';
import { findWholeDatasets } from '../../../src/data/salvage.ts';
import { writeDataset } from '../../../src/data/write.ts';
import { createBlockStore } from '../../../src/mesh/storage/blocks.ts';
import { createMemoryStore } from '../../../src/mesh/storage/kv-memory.ts';
import { NEVER, provenance, record } from './support.ts';

describe('findWholeDatasets', () => {
  it('finds what is whole by its blocks alone, and leaves out what is not', async () => {
    const kv = createMemoryStore();
    const blocks = createBlockStore(kv);
    const write = (name: string, ids: readonly string[]) =>
      writeDataset(
        { records: ids.map((id) => record(id)), name, provenance: provenance({ query: name }) },
        blocks,
        NEVER,
      );
    const whole = await write('whole', ['1', '2']);
    const partial = await write('partial', ['3', '4']);
    await kv.put('other', 1);
    await blocks.delete(partial.summary.data);
    const found = await findWholeDatasets(blocks.list(), blocks, NEVER);
    expect(found).toEqual([{ data: whole.summary.data, manifest: whole.summary.manifest }]);
  });
});
