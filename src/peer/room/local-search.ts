import type { BlockSource } from '../../contracts/dataset.ts';
import type { IndexableRecord, SegmentManifest, ShardSearch } from '../../contracts/search.ts';
import { readRecords } from '../../data/read.ts';
import type { CidString } from '../../lib/ids.ts';

/** Records decoded at a time: some hundred kilobytes in memory. */
const READ_BATCH = 256;

/** Indexes a dataset whose blocks `blocks` has: reads its records in batches and hands them to the shard. */
export async function indexDataset(
  dataset: CidString,
  blocks: BlockSource,
  shard: ShardSearch,
  signal: AbortSignal,
): Promise<SegmentManifest> {
  const records: IndexableRecord[] = [];
  for (;;) {
    const batch = await readRecords(dataset, records.length, READ_BATCH, blocks, signal);
    records.push(...batch);
    if (batch.length < READ_BATCH) return shard.addSegment(dataset, records, signal);
  }
}
