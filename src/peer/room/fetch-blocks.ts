import type { BlockSource } from '../../contracts/dataset.ts';
import type { CidString } from '../../lib/ids.ts';

/**
 * Bytes of a group, if its blocks are small. Two are on their way, and must come within the 15 s of a block also where a link is
 * slow. Bitswap sends what a group asks for as one answer, on a stream of its own that nobody reads before a round trip is over:
 * libp2p keeps 4 MiB until then, and resets a stream that brings more.
 */
const GROUP_BYTES = 256 * 1024;

/** Blocks of a group, however small they are: Bitswap looks through all wants for each block that comes. */
const GROUP_MAX_BLOCKS = 64;

/** What the blocks are like is not known yet: the largest have 1 MiB. */
const FIRST_GROUP_BLOCKS = 1;

/**
 * Fetches blocks that `source` keeps, as Bitswap's does, in groups: a group costs several round trips, whatever is in it. One is
 * on its way while the one before it comes.
 * @throws as `source.get`; then no more are asked for
 */
export async function fetchBlocks(
  cids: AsyncIterable<CidString>,
  source: Pick<BlockSource, 'get'>,
  signal: AbortSignal,
): Promise<void> {
  const fetchGroup = async (group: readonly CidString[]) => {
    const sizes = await Promise.all(group.map(async (cid) => (await source.get(cid, signal)).byteLength));
    return { blocks: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
  };
  let size = FIRST_GROUP_BLOCKS;
  let group: CidString[] = [];
  let coming: ReturnType<typeof fetchGroup> | undefined;
  const ask = async () => {
    const next = fetchGroup(group);
    // whoever takes it is told
    next.catch(() => undefined);
    group = [];
    if (coming !== undefined) size = sizeAfter(await coming);
    coming = next;
  };
  for await (const cid of cids) {
    group.push(cid);
    if (group.length >= size) await ask();
  }
  await ask();
  await coming;
}

/** Blocks of the next group. It grows slowly: what comes after the small blocks that name others may be large. */
function sizeAfter({ blocks, bytes }: { readonly blocks: number; readonly bytes: number }): number {
  const fitting = Math.floor((GROUP_BYTES * blocks) / Math.max(1, bytes));
  return Math.max(1, Math.min(GROUP_MAX_BLOCKS, 2 * blocks, fitting));
}
