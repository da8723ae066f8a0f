import type { IDBPDatabase, IDBPTransaction } from 'idb';
import { unwrap } from 'idb';
import type { DeviceBlocks } from '../../contracts/dataset.ts';
import type { CidString } from '../../lib/ids.ts';
import { absent, blockKey } from './blocks.ts';
import { BLOCKS_LAYOUT, BY_CID, CONTENTS, PACKS } from './blocks-idb-layout.browser.ts';
import type { PackContents } from './blocks-idb-layout.browser.ts';
import { abort, DURABLE, openIdb } from './idb.browser.ts';
import { packBlocks, unpack } from './packs.ts';
import type { Pack } from './packs.ts';
import { RecentPacks } from './recent-packs.ts';

/** Packs whose contents are listed at once: some thousands of addresses, a fraction of a megabyte. */
const LIST_PACKS = 64;

/** How many times the bytes of the blocks that were asked for may stay in memory with them: copying costs, too. */
const MAX_KEPT_BESIDE = 4;

type Block = Parameters<DeviceBlocks['putMany']>[0][number];
type Reading = IDBPTransaction<unknown, string[]>;
type Writing = IDBPTransaction<unknown, string[], 'readwrite'>;

/** Blocks of a device in IndexedDB, until they are closed. */
export interface IdbBlocks extends DeviceBlocks {
  close(): Promise<void>;
}

/**
 * Opens the blocks of a room in IndexedDB, {@link packBlocks packed}. Several tabs and workers may have them open: each sees what
 * the others have written. All of `putMany` is written, durably, or nothing; a block that is here is not stored twice.
 * @param name of the database
 * @throws `format_newer` when a newer version of the app made it; `storage_failed` when the browser refuses storage
 */
export async function openIdbBlocks(name: string): Promise<IdbBlocks> {
  const { attempt, close } = await openIdb(name, BLOCKS_LAYOUT);
  const recent = new RecentPacks();

  /** Those of the blocks that are here. */
  const read = async (cids: ReadonlySet<CidString>): Promise<ReadonlyMap<CidString, Uint8Array>> => {
    const { found, missing } = recent.take(cids);
    if (missing.size === 0) return found;
    await attempt('reading blocks', async (db) => {
      const transaction = db.transaction([CONTENTS, PACKS]);
      // each request tells of it
      transaction.done.catch(() => undefined);
      for await (const pack of readPacks(transaction, missing)) {
        recent.keep(pack);
        for (const { cid, bytes } of pick(pack, missing)) found.set(cid, bytes);
      }
    });
    return found;
  };
  /** Reads what is asked for one by one in one turn as if it had been asked for together: mostly it lies together. */
  let asked: { readonly cids: Set<CidString>; readonly answer: ReturnType<typeof read> } | undefined;
  const readOne = async (cid: CidString) => {
    if (asked === undefined) {
      const cids = new Set<CidString>();
      const answer = Promise.resolve().then(() => {
        asked = undefined;
        return read(cids);
      });
      asked = { cids, answer };
    }
    asked.cids.add(cid);
    return (await asked.answer).get(cid);
  };

  const deleteMany: DeviceBlocks['deleteMany'] = async (cids, signal) => {
    signal?.throwIfAborted();
    const going = new Set(cids.map(blockKey));
    await attempt('deleting blocks', (db) => write(db, (transaction) => remove(transaction, going)));
    // reads that began before have ended: the database lets none overlap with a write
    recent.clear();
  };

  return {
    async get(cid, signal) {
      signal?.throwIfAborted();
      const bytes = await readOne(blockKey(cid));
      if (bytes === undefined) throw absent(cid);
      // a view would keep its whole pack in memory
      return bytes.slice();
    },
    async getMany(cids, signal) {
      signal?.throwIfAborted();
      const keys = cids.map(blockKey);
      const found = await read(new Set(keys));
      return keys.map((key, index) => {
        const bytes = found.get(key);
        if (bytes === undefined) throw absent(cids[index] ?? key);
        return bytes;
      });
    },
    async has(cid, signal) {
      signal?.throwIfAborted();
      const key = blockKey(cid);
      // never from memory: another tab may have deleted it
      return attempt(
        'looking for a block',
        async (db) => (await db.getKeyFromIndex(CONTENTS, BY_CID, key)) !== undefined,
      );
    },
    async putMany(blocks, signal) {
      signal?.throwIfAborted();
      const each = new Map(blocks.map(({ cid, bytes }) => [blockKey(cid), bytes]));
      const packs = packBlocks(Array.from(each, ([cid, bytes]): Block => ({ cid, bytes })));
      await attempt('writing blocks', (db) =>
        write(db, async (transaction) => {
          await Promise.all(packs.map((pack) => add(transaction, pack)));
        }),
      );
    },
    delete: (cid, signal) => deleteMany([cid], signal),
    async *list(signal) {
      for (let after = 0; ;) {
        signal?.throwIfAborted();
        const range = IDBKeyRange.lowerBound(after, true);
        const group = await attempt(
          'listing',
          async (db) => (await db.getAll(CONTENTS, range, LIST_PACKS)) as PackContents[],
        );
        const last = group.at(-1);
        if (last === undefined) return;
        for (const { cids } of group) yield* cids;
        after = last.id;
      }
    },
    deleteMany,
    async close() {
      recent.clear();
      await close();
    },
  };
}

/** The packs that hold these blocks, one after another; nothing for a block that is not here. */
async function* readPacks(transaction: Reading, cids: ReadonlySet<CidString>): AsyncGenerator<Pack, void, void> {
  const byCid = transaction.objectStore(CONTENTS).index(BY_CID);
  const seen = new Set<CidString>();
  for (const cid of cids) {
    if (seen.has(cid)) continue;
    const contents = (await byCid.get(cid)) as PackContents | undefined;
    if (contents === undefined) continue;
    for (const each of contents.cids) seen.add(each);
    yield await readPack(transaction, contents);
  }
}

/** Some blocks of a pack: views of it when that keeps little else in memory. */
function pick(pack: Pack, cids: ReadonlySet<CidString>): readonly Block[] {
  const blocks = Array.from(unpack(pack)).filter(({ cid }) => cids.has(cid));
  const size = blocks.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
  if (size * MAX_KEPT_BESIDE >= pack.bytes.byteLength) return blocks;
  return blocks.map(({ cid, bytes }) => ({ cid, bytes: bytes.slice() }));
}

async function readPack(transaction: Reading | Writing, { id, cids, ends }: PackContents): Promise<Pack> {
  return { cids, ends, bytes: (await transaction.objectStore(PACKS).get(id)) as Uint8Array };
}

/** Writes all that `work` does, or nothing. @throws why not: what the browser says of the transaction, else of the request */
async function write(db: IDBPDatabase, work: (transaction: Writing) => Promise<void>): Promise<void> {
  const transaction = db.transaction([CONTENTS, PACKS], 'readwrite', DURABLE);
  const [worked, done] = await Promise.allSettled([
    work(transaction).catch((thrown: unknown) => {
      abort(transaction);
      throw thrown;
    }),
    transaction.done,
  ]);
  // when there is no space left, requests fail only because the transaction has
  if (transaction.error !== null) throw transaction.error;
  if (worked.status === 'rejected') throw worked.reason;
  if (done.status === 'rejected') throw done.reason;
}

async function add(transaction: Writing, pack: Pack): Promise<void> {
  const id = await addContents(transaction, pack);
  if (id !== undefined) {
    await transaction.objectStore(PACKS).put(pack.bytes, id);
    return;
  }
  // some are here: seldom, so that this is told by the index, and asked for only then
  const byCid = transaction.objectStore(CONTENTS).index(BY_CID);
  const blocks = await Promise.all(
    Array.from(unpack(pack), async (block) => ((await byCid.getKey(block.cid)) === undefined ? [block] : [])),
  );
  for (const rest of packBlocks(blocks.flat())) await add(transaction, rest);
}

/** @returns the new pack's id; undefined when one of its blocks is in another already */
function addContents(transaction: Writing, { cids, ends }: Pack): Promise<number | undefined> {
  const request = unwrap(transaction.objectStore(CONTENTS)).add({ cids, ends });
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => {
      resolve(request.result as number);
    });
    request.addEventListener('error', (event) => {
      if (request.error?.name === 'ConstraintError') {
        // else it would end the transaction
        event.preventDefault();
        event.stopPropagation();
        resolve(undefined);
      } else reject(request.error ?? new Error('the request failed'));
    });
  });
}

async function remove(transaction: Writing, going: ReadonlySet<CidString>): Promise<void> {
  const byCid = transaction.objectStore(CONTENTS).index(BY_CID);
  const seen = new Set<CidString>();
  for (const cid of going) {
    if (seen.has(cid)) continue;
    const contents = (await byCid.get(cid)) as PackContents | undefined;
    if (contents === undefined) continue;
    for (const each of contents.cids) seen.add(each);
    await shrink(transaction, contents, going);
  }
}

/** Leaves in a pack only what is not going. */
async function shrink(transaction: Writing, contents: PackContents, going: ReadonlySet<CidString>): Promise<void> {
  const [stored, bytes] = [transaction.objectStore(CONTENTS), transaction.objectStore(PACKS)];
  const { id } = contents;
  if (contents.cids.every((cid) => going.has(cid))) {
    await Promise.all([stored.delete(id), bytes.delete(id)]);
    return;
  }
  const rest = Array.from(unpack(await readPack(transaction, contents))).filter(({ cid }) => !going.has(cid));
  for (const { cids, ends, bytes: kept } of packBlocks(rest)) {
    await Promise.all([stored.put({ id, cids, ends } satisfies PackContents), bytes.put(kept, id)]);
  }
}
