import type { BlockStore } from '../../contracts/dataset.ts';

type Block = Parameters<BlockStore['putMany']>[0][number];

/**
 * Writes blocks that come one by one, as Bitswap's do, in few transactions: those that come while one is being written wait
 * for each other and are the next.
 * @returns writes a block; resolves when it is stored, rejects when its transaction failed
 */
export function writeTogether(store: Pick<BlockStore, 'putMany'>): (block: Block) => Promise<void> {
  let gathered: Block[] = [];
  let last: Promise<unknown> = Promise.resolve();
  let next: Promise<void> | undefined;
  return (block) => {
    gathered.push(block);
    next ??= last.then(() => {
      const blocks = gathered;
      gathered = [];
      next = undefined;
      const written = store.putMany(blocks);
      last = written.catch(() => undefined); // told to those whose blocks they are
      return written;
    });
    return next;
  };
}
