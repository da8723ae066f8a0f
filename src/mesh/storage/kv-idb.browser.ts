import type { KeyValueStore } from '../../contracts/kv.ts';
import type { IdbLayout } from './idb.browser.ts';
import { abort, DURABLE, openIdb } from './idb.browser.ts';

const STORE = 'kv';
/** One object store; what is in it has format versions of its own. */
const LAYOUT: IdbLayout = {
  version: 1,
  upgrade: (db) => {
    db.createObjectStore(STORE);
  },
};

/**
 * A {@link KeyValueStore} in IndexedDB. Several tabs may open the same name; each sees what the others have written.
 * @param name of the database
 * @throws `format_newer` when a newer version of the app made it; `storage_failed` when the browser refuses storage
 */
export async function openIdbStore(name: string): Promise<KeyValueStore> {
  const { attempt, close } = await openIdb(name, LAYOUT);

  /** whether the last write failed */
  let refused = false;
  const batch: KeyValueStore['batch'] = (writes, { parting = false } = {}) =>
    attempt('writing', async (db) => {
      const transaction = db.transaction(STORE, 'readwrite', DURABLE);
      // the first failure says why; those of the other requests and of `done` only that the transaction was aborted
      const failures: unknown[] = [];
      const requests = writes.map(async ({ key, value }) => {
        try {
          if (value === undefined) await transaction.store.delete(key);
          else await transaction.store.put(value, key);
        } catch (thrown) {
          if (failures.push(thrown) === 1) abort(transaction);
        }
      });
      // A page that is being closed does not live to see its requests succeed, after which it would be committed by itself.
      // Not otherwise, and not on a full disk: there Chromium 156 leaves a commit that was asked for unanswered, and with it
      // every database of the origin, also for the page that comes after.
      if (parting && !refused && failures.length === 0) transaction.commit();
      const finished = transaction.done.catch((thrown: unknown) => failures.push(thrown));
      await Promise.all([...requests, finished]);
      refused = failures.length > 0;
      if (failures.length > 0) throw failures[0];
    });

  return {
    get: <T>(key: string) => attempt(`reading ${key}`, async (db) => (await db.get(STORE, key)) as T | undefined),
    getMany: <T>(keys: readonly string[]) =>
      attempt(`reading ${keys.length} values`, async (db) => {
        const { store } = db.transaction(STORE);
        return (await Promise.all(keys.map((key) => store.get(key)))) as (T | undefined)[];
      }),
    put: (key, value) => batch([{ key, value }]),
    delete: (key) => batch([{ key, value: undefined }]),
    keys: (prefix = '') =>
      attempt('listing', async (db) => (await db.getAllKeys(STORE, prefixRange(prefix))) as string[]),
    batch,
    close,
  };
}

/** All keys that start with `prefix`: up to, and without, the next string of the same length in code-unit order. */
function prefixRange(prefix: string): IDBKeyRange | null {
  for (let end = prefix.length; end > 0; end--) {
    const last = prefix.charCodeAt(end - 1);
    if (last === 0xffff) continue;
    const next = prefix.slice(0, end - 1) + String.fromCharCode(last + 1);
    return IDBKeyRange.bound(prefix, next, false, true);
  }
  return prefix === '' ? null : IDBKeyRange.lowerBound(prefix);
}
