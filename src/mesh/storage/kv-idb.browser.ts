import { deleteDB, openDB } from 'idb';
import type { IDBPDatabase } from 'idb';
import type { KeyValueStore } from '../../contracts/kv.ts';
import { TabmeshError } from '../../lib/errors.ts';
import { closedError, storageError } from './errors.ts';

/** The layout of the database itself, one object store; what is in it has format versions of its own. */
const LAYOUT_VERSION = 1;
const STORE = 'kv';
/** A write may be reported only when it is on the disk; Chromium's default, "relaxed", reports it when the OS has it. */
const DURABLE: IDBTransactionOptions = { durability: 'strict' };

/**
 * A {@link KeyValueStore} in IndexedDB. Several tabs may open the same name; each sees what the others have written.
 * @param name of the database
 * @throws `format_newer` when a newer version of the app made it; `storage_failed` when the browser refuses storage
 */
export async function openIdbStore(name: string): Promise<KeyValueStore> {
  let state: 'open' | 'deleted' | 'outdated' | 'closed' = 'open';
  let connection: Promise<IDBPDatabase> | undefined;

  const connect = async () => {
    if (state === 'closed') throw closedError(name);
    if (state === 'outdated') throw outdatedError(name);
    if (state === 'deleted') throw deletedError(name);
    connection ??= openConnection(name, {
      onTerminated: () => (connection = undefined),
      onVersionChange: (deleted) => {
        if (state === 'open') state = deleted ? 'deleted' : 'outdated';
        connection = undefined;
      },
    }).catch((thrown: unknown) => {
      connection = undefined;
      throw thrown;
    });
    return connection;
  };

  const attempt = async <T>(what: string, work: (db: IDBPDatabase) => Promise<T>): Promise<T> => {
    try {
      return await work(await connect());
    } catch (thrown) {
      throw storageError(thrown, what);
    }
  };

  const batch: KeyValueStore['batch'] = (writes) =>
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
      const finished = transaction.done.catch((thrown: unknown) => failures.push(thrown));
      await Promise.all([...requests, finished]);
      if (failures.length > 0) throw failures[0];
    });

  await attempt('opening', connect);
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
    close: async () => {
      if (state === 'closed') return;
      state = 'closed';
      const open = connection;
      connection = undefined;
      (await open)?.close();
    },
  };
}

/**
 * Deletes a database. Tabs that have it open close it first (their next operation says that the store is gone).
 * @throws `storage_failed`
 */
export async function deleteIdbStore(name: string): Promise<void> {
  try {
    await deleteDB(name);
  } catch (thrown) {
    throw storageError(thrown, `deleting ${name}`);
  }
}

interface ConnectionEvents {
  onTerminated(): void;
  onVersionChange(deleted: boolean): void;
}

async function openConnection(name: string, events: ConnectionEvents): Promise<IDBPDatabase> {
  let refuse: (reason: TabmeshError) => void = () => undefined;
  const blocked = new Promise<never>((_, reject) => (refuse = reject));
  const opening = openDB(name, LAYOUT_VERSION, {
    upgrade: (db) => {
      db.createObjectStore(STORE);
    },
    blocked: () => {
      refuse(
        new TabmeshError('storage_failed', `another tab holds an older version of the database "${name}"`, {
          hint: 'Close the other tabs of this app, then reload.',
          retryable: true,
        }),
      );
    },
    // not closing would block the other tab's upgrade, or the deletion of the room, for as long as this tab lives
    blocking: (_current, next, event) => {
      (event.target as IDBDatabase).close();
      events.onVersionChange(next === null);
    },
    terminated: () => {
      events.onTerminated();
    },
  });
  try {
    return await Promise.race([opening, blocked]);
  } catch (thrown) {
    // an opening that was given up may still succeed later, and would then block others
    opening.then(
      (db) => {
        db.close();
      },
      () => undefined,
    );
    if (thrown instanceof DOMException && thrown.name === 'VersionError') throw outdatedError(name);
    throw thrown;
  }
}

function outdatedError(name: string): TabmeshError {
  return new TabmeshError('format_newer', `the database "${name}" belongs to a newer version of this app`, {
    hint: 'Update this app: reload the page.',
  });
}

function deletedError(name: string): TabmeshError {
  return new TabmeshError('storage_failed', `the database "${name}" was deleted in another tab`, {
    hint: 'Close this tab, or open the room again.',
  });
}

function abort(transaction: { abort(): void }): void {
  try {
    transaction.abort();
  } catch (thrown) {
    // a failed request has aborted it already
    if (!(thrown instanceof DOMException && thrown.name === 'InvalidStateError')) throw thrown;
  }
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
