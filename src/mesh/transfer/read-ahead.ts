import type { BlockStore } from '../../contracts/dataset.ts';
import type { CidString } from '../../lib/ids.ts';
import { BATCH_BYTES, READ_BYTES, READ_MAX_BLOCKS } from './limits.ts';
import { encodedBlockBytes } from './messages.ts';

/**
 * Reads blocks in order, one group ahead of what is taken, and gives them in batches of at most {@link BATCH_BYTES}; a larger
 * block is a batch of its own.
 * @throws what the store throws, when it comes to that group
 */
export async function* readBatches(
  cids: AsyncIterable<readonly CidString[]>,
  store: Pick<BlockStore, 'getMany'>,
  signal: AbortSignal,
): AsyncGenerator<readonly Uint8Array[], void, void> {
  let batch: Uint8Array[] = [];
  let bytes = 0;
  for await (const group of readGroups(cids, store, signal)) {
    for (const block of group) {
      const more = encodedBlockBytes(block);
      if (batch.length > 0 && bytes + more > BATCH_BYTES) {
        yield batch;
        batch = [];
        bytes = 0;
      }
      batch.push(block);
      bytes += more;
    }
  }
  if (batch.length > 0) yield batch;
}

/** A browser's database answers a question in its own time, whether for one block or for a hundred. */
async function* readGroups(
  cids: AsyncIterable<readonly CidString[]>,
  store: Pick<BlockStore, 'getMany'>,
  signal: AbortSignal,
): AsyncGenerator<readonly Uint8Array[], void, void> {
  let reading: Promise<readonly Uint8Array[]> | undefined;
  // the first names others, and tells nothing of how large they are
  let size = 1;
  for await (const known of cids) {
    for (let at = 0; at < known.length;) {
      const next = store.getMany(known.slice(at, at + size), signal);
      at += size;
      // whoever takes the group is told; until then it is nobody's
      next.catch(() => undefined);
      if (reading !== undefined) {
        const group = await reading;
        size = sizeFor(group);
        yield group;
      }
      reading = next;
    }
  }
  if (reading !== undefined) yield await reading;
}

/**
 * Blocks of a group that has about {@link READ_BYTES}, when they are like the last ones. It grows slowly: what comes after the
 * small blocks that name others may be large.
 */
function sizeFor(group: readonly Uint8Array[]): number {
  const bytes = group.reduce((sum, block) => sum + block.byteLength, 0);
  const fitting = Math.floor((READ_BYTES * group.length) / Math.max(1, bytes));
  return Math.max(1, Math.min(READ_MAX_BLOCKS, 2 * group.length, fitting));
}
