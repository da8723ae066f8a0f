import * as dagCbor from '@ipld/dag-cbor';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecordBatch } from '../../../src/contracts/dataset.ts';
import { parsePubmedXml } from '../../../src/research/pubmed/parse.ts';
import { encodeRecordBlocks } from '../../../src/research/record-blocks.ts';
import { loadDemoLibrary } from '../../../relay/demo/library.ts';
import { pubmedXml } from '../../../relay/demo/pubmed-xml.ts';
import { errorOf } from './support.ts';
import type { RunId } from '../../../src/lib/ids.ts';

const RUN = 'run-1' as RunId;

describe('record blocks', async () => {
  const { records: demo, journals } = await loadDemoLibrary();
  const xml = pubmedXml(
    demo.filter(({ deleted }) => deleted !== true),
    journals,
  );
  const { records } = parsePubmedXml(new TextEncoder().encode(xml));
  const largest = Math.max(...records.map((record) => dagCbor.encode({ run: RUN, records: [record] }).byteLength));

  it('hold all records in order, each block within the limit', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: largest, max: 200_000 }), async (maxBytes) => {
        const blocks = await encodeRecordBlocks(records, RUN, maxBytes);
        expect(blocks.every(({ bytes }) => bytes.byteLength <= maxBytes)).toBe(true);
        const decoded = blocks.flatMap(({ bytes }) => dagCbor.decode<RecordBatch>(bytes).records);
        expect(decoded).toEqual(records);
      }),
      { numRuns: 30 },
    );
  });

  it('are one for a batch that fits, none for nothing', async () => {
    expect(await encodeRecordBlocks(records, RUN)).toHaveLength(1);
    expect(await encodeRecordBlocks([], RUN)).toEqual([]);
  });

  it('of two runs are never the same block', async () => {
    const [one] = await encodeRecordBlocks(records, RUN);
    const [other] = await encodeRecordBlocks(records, 'run-2' as RunId);
    expect(one?.cid).not.toBe(other?.cid);
  });

  it('refuse a record that fits nowhere', async () => {
    expect((await errorOf(encodeRecordBlocks(records, RUN, largest - 1))).code).toBe('payload_too_large');
  });
});
