import type { BlockSource } from '../contracts/dataset.ts';
import { toTabmeshError } from '../lib/errors.ts';
import type { CidString } from '../lib/ids.ts';
import { decodeMap } from '../lib/strict-map.ts';
import { datasetBlocks, type DatasetAddress } from './blocks.ts';
import { MANIFEST_FORMAT } from './formats.ts';
import { readManifest } from './read.ts';

const NOT_WHOLE: readonly string[] = ['not_found', 'corrupt', 'format_newer'];

/** Whether a failure to read a dataset means that it is not whole here, or not for this version of the app. */
export function isNotWhole(thrown: unknown): boolean {
  return NOT_WHOLE.includes(toTabmeshError(thrown).code);
}

/**
 * Finds datasets by their blocks alone, with no list of them: for when what lists them cannot be read.
 * @param cids addresses of all blocks that `source` has
 * @returns those of which no block is missing; copies that were begun and records that were looked at are left out
 * @throws `storage_failed`; `signal.reason`
 */
export async function findWholeDatasets(
  cids: AsyncIterable<CidString>,
  source: BlockSource,
  signal: AbortSignal,
): Promise<readonly DatasetAddress[]> {
  const whole: DatasetAddress[] = [];
  for await (const manifest of cids) {
    signal.throwIfAborted();
    if (decodeMap(await source.get(manifest, signal))?.['format'] !== MANIFEST_FORMAT) continue;
    const dataset = await wholeDataset(manifest, source, signal);
    if (dataset !== undefined) whole.push(dataset);
  }
  return whole;
}

async function wholeDataset(
  manifest: CidString,
  source: BlockSource,
  signal: AbortSignal,
): Promise<DatasetAddress | undefined> {
  try {
    const { data } = await readManifest(manifest, source, signal);
    for await (const cid of datasetBlocks({ data, manifest }, source, signal)) {
      if (!(await source.has(cid, signal))) return undefined;
    }
    return { data, manifest };
  } catch (thrown) {
    if (isNotWhole(thrown)) return undefined;
    throw thrown;
  }
}
