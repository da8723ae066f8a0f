import type { BlockSource, DeviceBlocks } from '../contracts/dataset.ts';
import type { Clock } from '../lib/clock.ts';
import { TabmeshError } from '../lib/errors.ts';
import type { CidString } from '../lib/ids.ts';
import { datasetBlocks, type DatasetAddress } from './blocks.ts';
import { isNotWhole } from './salvage.ts';

/** Addresses handled before others have a turn: a few ms of work, so that an abort is heard soon. */
const TURN = 1_000;
/** Blocks of one deletion: few transactions, and none that others wait long for. */
const DELETE_GROUP = 256;

/** What a device has a reason to keep. */
export interface SweepRoots {
  /** datasets that it lists: while a block of one is missing, nothing is deleted */
  readonly kept: readonly DatasetAddress[];
  /** datasets that it may have without listing them: those that are whole stay */
  readonly unlisted: readonly DatasetAddress[];
}

export interface SweepOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Numbers of blocks. */
export interface SweepResult {
  readonly deleted: number;
  readonly kept: number;
}

/**
 * Deletes the blocks of a device that belong to no dataset it keeps (mark and sweep): batches of a run that was left
 * behind, records that were only looked at, copies that were broken off. It may be interrupted anywhere: what it has not
 * deleted by then, it finds the next time.
 *
 * The caller keeps writers away meanwhile. Blocks that come without being written for a dataset (looked at over the mesh)
 * and are listed too late stay until the next sweep.
 * @throws when it cannot be told what is kept, and nothing was deleted then: `not_found`, `corrupt`, `format_newer` of a
 *   block of a kept dataset; `storage_failed`; `signal.reason`
 */
export async function sweepBlocks(
  store: DeviceBlocks,
  roots: SweepRoots,
  { clock, signal }: SweepOptions,
): Promise<SweepResult> {
  let done = 0;
  const turn = async (): Promise<void> => {
    if (++done % TURN === 0) await clock.sleep(0, signal);
  };
  // before anything is marked: what arrives later is not up for deletion
  const held = new Set<CidString>();
  for await (const cid of store.list(signal)) {
    held.add(cid);
    await turn();
  }
  const marked = new Set<CidString>();
  const mark = async (dataset: DatasetAddress): Promise<void> => {
    for (const cid of await heldBlocks(dataset, held, store, signal)) {
      marked.add(cid);
      await turn();
    }
  };
  for (const dataset of roots.kept) await mark(dataset);
  for (const dataset of roots.unlisted) {
    try {
      await mark(dataset);
    } catch (thrown) {
      if (!isNotWhole(thrown)) throw thrown;
    }
  }

  const garbage = [...held].filter((cid) => !marked.has(cid));
  for (let at = 0; at < garbage.length; at += DELETE_GROUP) {
    await clock.sleep(0, signal);
    await store.deleteMany(garbage.slice(at, at + DELETE_GROUP), signal);
  }
  return { deleted: garbage.length, kept: marked.size };
}

/** All blocks of a dataset. @throws `not_found` unless each of them is held; as `readDataset` */
async function heldBlocks(
  dataset: DatasetAddress,
  held: ReadonlySet<CidString>,
  source: BlockSource,
  signal: AbortSignal,
): Promise<readonly CidString[]> {
  const blocks: CidString[] = [];
  for await (const cid of datasetBlocks(dataset, source, signal)) {
    if (!held.has(cid)) {
      throw new TabmeshError('not_found', `the block ${cid} of the dataset ${dataset.data} is not on this device`, {
        hint: 'Delete this copy of the dataset, and keep it again from another device.',
        details: { cid, dataset: dataset.data },
      });
    }
    blocks.push(cid);
  }
  return blocks;
}
