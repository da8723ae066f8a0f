import 'fake-indexeddb/auto';
import { openDB } from 'idb';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { deleteIdbStore } from '../../src/mesh/storage/idb.browser.ts';
import { openIdbStore } from '../../src/mesh/storage/kv-idb.browser.ts';
import { kvContract } from './kv.ts';

let count = 0;
const freshName = () => `kv-${count++}`;

kvContract(
  'IndexedDB',
  async () => {
    const name = freshName();
    return { open: () => openIdbStore(name), dispose: () => deleteIdbStore(name) };
  },
  { persistent: true },
);

describe('IndexedDB store', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('is shared by the tabs that open it', async () => {
    const name = freshName();
    const [one, two] = await Promise.all([openIdbStore(name), openIdbStore(name)]);
    await one.put('a', 1);
    expect(await two.get('a')).toBe(1);
    await Promise.all([one.close(), two.close()]);
  });

  it('reports a full disk as quota_exceeded and keeps what it has', async () => {
    const store = await openIdbStore(freshName());
    await store.put('a', 1);
    const real = IDBObjectStore.prototype.put;
    vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (this: IDBObjectStore, value, key) {
      if (key === 'b') throw new DOMException('full', 'QuotaExceededError');
      return real.call(this, value, key);
    });
    await expect(
      store.batch([
        { key: 'a', value: 2 },
        { key: 'b', value: 3 },
      ]),
    ).rejects.toMatchObject({ code: 'quota_exceeded' });
    expect(await store.get('a')).toBe(1);
    await store.close();
  });

  it('writes with strict durability', async () => {
    const store = await openIdbStore(freshName());
    const transaction = vi.spyOn(IDBDatabase.prototype, 'transaction');
    await store.put('a', 1);
    expect(transaction.mock.calls[0]?.[2]).toEqual({ durability: 'strict' });
    await store.close();
  });

  it('lets another tab delete it, and says so afterwards', async () => {
    const name = freshName();
    const store = await openIdbStore(name);
    await store.put('a', 1);
    await deleteIdbStore(name);
    await expect(store.get('a')).rejects.toMatchObject({
      code: 'storage_failed',
      message: expect.stringContaining('deleted') as string,
    });
    await store.close();
  });

  it('refuses a database of a newer layout, and steps aside when a newer app upgrades it', async () => {
    const name = freshName();
    const store = await openIdbStore(name);
    const newer = await openDB(name, 2);
    await expect(store.get('a')).rejects.toMatchObject({ code: 'format_newer' });
    await expect(openIdbStore(name)).rejects.toMatchObject({ code: 'format_newer' });
    newer.close();
    await store.close();
  });

  it('does not wait for ever for a tab that does not let go', async () => {
    const name = freshName();
    const holder = await openDB(name, 1);
    const deleting = deleteIdbStore(name);
    const blocked = openIdbStore(name);
    holder.close();
    await deleting;
    const store = await blocked;
    await store.put('a', 1);
    await store.close();
  });
});
