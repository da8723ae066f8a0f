import type { IDBPTransaction } from 'idb';
import { base32 } from 'multiformats/bases/base32';
import * as Digest from 'multiformats/hashes/digest';
import type { CidString } from '../../lib/ids.ts';
import { addressOf } from './blocks.ts';
import type { IdbLayout } from './idb.browser.ts';
import { abort } from './idb.browser.ts';
import { packBlocks } from './packs.ts';
import type { Pack } from './packs.ts';

/** {@link PackContents}, under their id. Apart from the bytes, so that what is here can be told without reading it all. */
export const CONTENTS = 'contents';
/** Finds the pack of a block. The browser keeps it up to date, over all tabs and workers, and refuses a block that is here. */
export const BY_CID = 'cid';
/** The bytes of packs, under the same ids. */
export const PACKS = 'packs';

/** What is in a pack. */
export interface PackContents extends Pick<Pack, 'cids' | 'ends'> {
  readonly id: number;
}

/** Version 1 had each block as a value of its own, under its multihash. */
const SINGLES = 'kv';
const SINGLES_PREFIX = 'block/';
/** what comes behind all that begin so */
const SINGLES_END = 'block0';
/** Blocks moved at once: with the largest blocks, what a phone has the memory for. */
const MOVED_AT_ONCE = 64;

type Upgrade = IDBPTransaction<unknown, string[], 'versionchange'>;

export const BLOCKS_LAYOUT: IdbLayout = {
  version: 2,
  upgrade: (db, from, _to, transaction) => {
    // who opens the database is told of the same
    transaction.done.catch(() => undefined);
    const contents = db.createObjectStore(CONTENTS, { keyPath: 'id', autoIncrement: true });
    contents.createIndex(BY_CID, 'cids', { multiEntry: true, unique: true });
    db.createObjectStore(PACKS);
    if (from === 0) return;
    packSingles(transaction).then(
      () => {
        db.deleteObjectStore(SINGLES);
      },
      () => {
        // half a migration must not stay
        abort(transaction);
      },
    );
  },
};

async function packSingles(transaction: Upgrade): Promise<void> {
  const singles = transaction.objectStore(SINGLES);
  for (let after = SINGLES_PREFIX; ;) {
    const range = IDBKeyRange.bound(after, SINGLES_END, true, true);
    const [keys, values] = await Promise.all([
      singles.getAllKeys(range, MOVED_AT_ONCE) as Promise<string[]>,
      singles.getAll(range, MOVED_AT_ONCE) as Promise<Uint8Array[]>,
    ]);
    const last = keys.at(-1);
    if (last === undefined) return;
    const blocks = values.map((bytes, index) => ({ cid: cidOf(keys[index] ?? ''), bytes }));
    for (const { cids, ends, bytes } of packBlocks(blocks)) {
      const id = await transaction.objectStore(CONTENTS).add({ cids, ends });
      await transaction.objectStore(PACKS).add(bytes, id);
    }
    after = last;
  }
}

function cidOf(key: string): CidString {
  return addressOf(Digest.decode(base32.baseDecode(key.slice(SINGLES_PREFIX.length))));
}
