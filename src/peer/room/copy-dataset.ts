import type { BlockSource, DatasetSummary } from '../../contracts/dataset.ts';
import { dataBlocks, datasetBlocks } from '../../data/blocks.ts';
import { toTabmeshError } from '../../lib/errors.ts';
import type { CidString, PeerId } from '../../lib/ids.ts';
import type { Log } from '../../lib/log.ts';
import type { Transfers } from '../../mesh/transfer/transfers.ts';
import { fetchBlocks } from './fetch-blocks.ts';

export interface CopyOptions {
  /** this device's blocks */
  readonly local: BlockSource;
  /** the room's blocks, over Bitswap; what is fetched is kept */
  readonly network: BlockSource;
  readonly transfers: Pick<Transfers, 'fetch'>;
  /** members that are linked and hold the dataset, best first */
  readonly holders: readonly PeerId[];
  readonly log: Log;
}

/**
 * Copies all blocks of a dataset to this device: on a stream of its own from one holder after another, each going on where
 * the one before stopped; what none of them could give, over Bitswap from whoever has it.
 * @throws `not_found` when nobody who is here has a block; what storing throws; `signal.reason`
 */
export async function copyDataset(summary: DatasetSummary, options: CopyOptions, signal: AbortSignal): Promise<void> {
  const { network } = options;
  const whole = await transferFrom(summary, options, signal);
  // the manifest is not among the data's blocks: each holder may have another
  if (whole) await network.get(summary.manifest, signal);
  else await fetchBlocks(datasetBlocks(summary, network, signal), network, signal);
}

/** @returns whether all of it is here now */
async function transferFrom(summary: DatasetSummary, options: CopyOptions, signal: AbortSignal): Promise<boolean> {
  const { holders, transfers, local, log } = options;
  const { data, bytes } = summary;
  if (holders.length === 0) return false;
  let offset = await heldFromRoot(data, local, signal);
  for (const holder of holders) {
    try {
      const onProgress = (progress: { readonly blocks: number }) => {
        offset = progress.blocks;
      };
      await transfers.fetch(holder, { data, bytes, offset, signal, onProgress });
      return true;
    } catch (thrown) {
      signal.throwIfAborted();
      const { code, message } = toTabmeshError(thrown);
      // no other holder can help that
      if (code === 'quota_exceeded' || code === 'storage_failed') throw thrown;
      log.info('no transfer', { peer: holder, data, reason: message });
    }
  }
  return false;
}

/** How many of the dataset's blocks, from its root on, are here: what an earlier copy that was broken off has left. */
async function heldFromRoot(data: CidString, local: BlockSource, signal: AbortSignal): Promise<number> {
  let held = 0;
  try {
    for await (const cid of dataBlocks(data, local, signal)) {
      if (!(await local.has(cid, signal))) break;
      held++;
    }
  } catch (thrown) {
    signal.throwIfAborted();
    // the first block that names others and is not here, or is damaged
    const { code } = toTabmeshError(thrown);
    if (code !== 'not_found' && code !== 'corrupt') throw thrown;
  }
  return held;
}
