import type { CidString } from '../../lib/ids.ts';

/**
 * Bytes of a pack, if its blocks are small; a larger block is one by itself. Chromium 156 writes and reads records of 4 KB four
 * times as fast in packs of this size as one by one, and larger packs are no faster. Whoever wants one block reads its whole
 * pack, a millisecond.
 */
export const PACK_BYTES = 256 * 1024;

/** Blocks that are stored as one value, because a database's work is by value, however small it is. */
export interface Pack {
  /** of its blocks, each once, in the order of their bytes */
  readonly cids: readonly CidString[];
  /** where each block ends */
  readonly ends: readonly number[];
  readonly bytes: Uint8Array;
}

/** A block and its address. */
interface Block {
  readonly cid: CidString;
  readonly bytes: Uint8Array;
}

/** Puts blocks together in packs, in their order: those that are written together are read together. */
export function packBlocks(blocks: Iterable<Block>): Pack[] {
  const packs: Pack[] = [];
  let group: Block[] = [];
  let size = 0;
  const finish = () => {
    if (group.length > 0) packs.push(join(group, size));
    group = [];
    size = 0;
  };
  for (const block of blocks) {
    if (size + block.bytes.byteLength > PACK_BYTES) finish();
    group.push(block);
    size += block.bytes.byteLength;
  }
  finish();
  return packs;
}

/** The blocks of a pack, as views of it. */
export function* unpack({ cids, ends, bytes }: Pack): Generator<Block> {
  let from = 0;
  for (const [index, cid] of cids.entries()) {
    const to = ends[index] ?? from;
    yield { cid, bytes: bytes.subarray(from, to) };
    from = to;
  }
}

function join(blocks: readonly Block[], size: number): Pack {
  const bytes = new Uint8Array(size);
  const ends: number[] = [];
  let at = 0;
  for (const block of blocks) {
    bytes.set(block.bytes, at);
    ends.push((at += block.bytes.byteLength));
  }
  return { cids: blocks.map(({ cid }) => cid), ends, bytes };
}
