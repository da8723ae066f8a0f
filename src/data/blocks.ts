import type { BlockSource, DatasetSummary } from '../contracts/dataset.ts';
import { toTabmeshError } from '../lib/errors.ts';
import type { CidString } from '../lib/ids.ts';
import { readDataset, readPage } from './read.ts';

/** The two addresses that a dataset goes by. */
export type DatasetAddress = Pick<DatasetSummary, 'data' | 'manifest'>;

/**
 * The addresses of all blocks of a dataset, parents before children: manifest, root, then each page and its records.
 * A record that two pages list comes twice.
 * @throws as `readDataset`
 */
export async function* datasetBlocks(
  { data, manifest }: DatasetAddress,
  source: BlockSource,
  signal: AbortSignal,
): AsyncGenerator<CidString, void, void> {
  yield manifest;
  yield* dataBlocks(data, source, signal);
}

/**
 * The same without the manifest: what depends on the records alone, and so is the same on every device that holds them.
 * @throws as `readDataset`
 */
export async function* dataBlocks(
  data: CidString,
  source: BlockSource,
  signal: AbortSignal,
): AsyncGenerator<CidString, void, void> {
  for await (const group of dataBlockGroups(data, source, signal)) yield* group;
}

/**
 * The same in groups: the root, then each page and its records. Each group is told when the block that names it can be read.
 * @throws as `readDataset`
 */
export async function* dataBlockGroups(
  data: CidString,
  source: BlockSource,
  signal: AbortSignal,
): AsyncGenerator<readonly CidString[], void, void> {
  yield [data];
  const root = await readDataset(data, source, signal);
  for (const [index, page] of root.pages.entries()) {
    yield [page];
    yield await readPage(root, index, source, signal);
  }
}

/**
 * The blocks that may go when a dataset is deleted from this device: its own, without those that another dataset kept
 * here uses too. Records come first and the root and manifest last, so that a deletion that was interrupted can be
 * done again; a dataset of which blocks are gone already yields those that can still be told.
 *
 * Nothing may be written to the store between this and the deletion: a new dataset could come to share a block.
 * @param othersKept all other datasets that this device keeps
 * @param source the device's own store
 * @throws as `readDataset` when one of `othersKept` cannot be read: then nothing is sure to be unused
 */
export async function deletableBlocks(
  dataset: DatasetAddress,
  othersKept: readonly DatasetAddress[],
  source: BlockSource,
  signal: AbortSignal,
): Promise<readonly CidString[]> {
  const own = new Set<CidString>([dataset.manifest, dataset.data]);
  try {
    for await (const cid of datasetBlocks(dataset, source, signal)) own.add(cid);
  } catch (thrown) {
    if (toTabmeshError(thrown).code !== 'not_found') throw thrown;
  }
  for (const other of othersKept) {
    for await (const cid of datasetBlocks(other, source, signal)) own.delete(cid);
  }
  return [...own].reverse();
}
