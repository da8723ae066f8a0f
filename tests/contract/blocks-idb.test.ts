import 'fake-indexeddb/auto';
import { openDB } from 'idb';
import { base32 } from 'multiformats/bases/base32';
import { CID } from 'multiformats/cid';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { encodeBlock, type Block } from '../../src/data/codec.ts';
import { openIdbBlocks } from '../../src/mesh/storage/blocks-idb.browser.ts';
import { PACK_BYTES } from '../../src/mesh/storage/packs.ts';
import { collected } from '../unit/data/support.ts';

let count = 0;
const freshName = () => `packed-${count++}`;

const make = (n: number, size = 4_000): Promise<Block[]> =>
  Promise.all(Array.from({ length: n }, (_, i) => encodeBlock({ i, size, filling: new Uint8Array(size) }, 'a block')));

const cidsOf = (blocks: readonly Block[]) => blocks.map(({ cid }) => cid);

/** The sizes of the stored values. */
async function packsOf(name: string): Promise<number[]> {
  const db = await openDB(name);
  const packs = (await db.getAll('packs')) as Uint8Array[];
  db.close();
  return packs.map(({ byteLength }) => byteLength);
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('blocks in IndexedDB', () => {
  it('lie together in few values, and none of them twice', async () => {
    const name = freshName();
    const blocks = await openIdbBlocks(name);
    const made = await make(200);
    const bytes = made.reduce((sum, block) => sum + block.bytes.byteLength, 0);
    await blocks.putMany(made.slice(0, 100));
    await blocks.putMany(made);
    await blocks.putMany(made.slice(50, 150));
    const sizes = await packsOf(name);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(bytes);
    expect(sizes.length).toBeLessThan(2 * Math.ceil(bytes / PACK_BYTES) + 1);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(PACK_BYTES);
    await blocks.close();
  });

  it('are read together when they are asked for one by one, and once', async () => {
    const blocks = await openIdbBlocks(freshName());
    const made = await make(60);
    await blocks.putMany(made);
    const transaction = vi.spyOn(IDBDatabase.prototype, 'transaction');
    await Promise.all(made.slice(0, 16).map(({ cid }) => blocks.get(cid)));
    for (const { cid } of made.slice(16)) await blocks.get(cid);
    expect(transaction).toHaveBeenCalledTimes(1);
    await blocks.close();
  });

  it('leave with what is deleted, and what lies beside them stays', async () => {
    const name = freshName();
    const blocks = await openIdbBlocks(name);
    const made = await make(200);
    await blocks.putMany(made);
    const rest = made.filter((_, index) => index % 10 === 0);
    await blocks.deleteMany(cidsOf(made.filter((block) => !rest.includes(block))));
    const sizes = await packsOf(name);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(rest.reduce((sum, { bytes }) => sum + bytes.byteLength, 0));
    expect((await blocks.getMany(cidsOf(rest))).map((bytes) => bytes.byteLength)).toEqual(
      rest.map(({ bytes }) => bytes.byteLength),
    );
    await blocks.deleteMany(cidsOf(rest));
    expect(await packsOf(name)).toEqual([]);
    await blocks.close();
  });

  it('are shared by the tabs that have them open', async () => {
    const name = freshName();
    const [one, two] = await Promise.all([openIdbBlocks(name), openIdbBlocks(name)]);
    const made = await make(20);
    await Promise.all([one.putMany(made.slice(0, 15)), two.putMany(made.slice(5))]);
    expect(await two.getMany(cidsOf(made))).toHaveLength(20);
    await one.deleteMany(cidsOf(made).slice(0, 1));
    expect(await two.has(made[0]?.cid ?? made[1]!.cid)).toBe(false);
    expect(await collected(two.list())).toHaveLength(19);
    await Promise.all([one.close(), two.close()]);
  });

  it('are written all or none, and a full disk is told as such', async () => {
    const name = freshName();
    const blocks = await openIdbBlocks(name);
    const made = await make(200);
    const put = IDBObjectStore.prototype.put;
    let puts = 0;
    vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (this: IDBObjectStore, value, key) {
      if (++puts === 3) throw new DOMException('full', 'QuotaExceededError');
      return put.call(this, value, key);
    });
    await expect(blocks.putMany(made)).rejects.toMatchObject({ code: 'quota_exceeded' });
    expect(puts).toBeGreaterThan(2);
    expect(await collected(blocks.list())).toEqual([]);
    await blocks.putMany(made);
    expect(await blocks.getMany(cidsOf(made))).toHaveLength(200);
    await blocks.close();
  });

  it('are written with strict durability', async () => {
    const blocks = await openIdbBlocks(freshName());
    const transaction = vi.spyOn(IDBDatabase.prototype, 'transaction');
    await blocks.putMany(await make(1));
    expect(transaction.mock.calls.map((call) => call[2])).toEqual([{ durability: 'strict' }]);
    await blocks.close();
  });

  it('of version 1, each a value of its own, are packed when they are opened', async () => {
    const name = freshName();
    const made = [...(await make(150)), ...(await make(2, 300_000))];
    const old = await openDB(name, 1, { upgrade: (db) => void db.createObjectStore('kv') });
    for (const { cid, bytes } of made) {
      await old.put('kv', bytes, `block/${base32.baseEncode(CID.parse(cid).multihash.bytes)}`);
    }
    old.close();
    const blocks = await openIdbBlocks(name);
    expect((await collected(blocks.list())).toSorted()).toEqual(cidsOf(made).toSorted());
    const found = await blocks.getMany(cidsOf(made));
    expect(found.map((bytes) => Buffer.from(bytes))).toEqual(made.map(({ bytes }) => Buffer.from(bytes)));
    expect((await packsOf(name)).length).toBeLessThan(10);
    await blocks.close();
  });

  it('of version 1 that cannot be read stay as they are', async () => {
    const name = freshName();
    const old = await openDB(name, 1, { upgrade: (db) => void db.createObjectStore('kv') });
    await old.put('kv', Uint8Array.of(1), 'block/no multihash');
    old.close();
    await expect(openIdbBlocks(name)).rejects.toMatchObject({ code: 'storage_failed' });
    const again = await openDB(name, 1);
    expect(await again.getAllKeys('kv')).toEqual(['block/no multihash']);
    again.close();
  });

  it('of a newer version are refused', async () => {
    const name = freshName();
    (await openDB(name, 3)).close();
    await expect(openIdbBlocks(name)).rejects.toMatchObject({ code: 'format_newer' });
  });
});
