import { deleteDB, openDB } from 'idb';
import type { IDBPDatabase, OpenDBCallbacks } from 'idb';
import { TabmeshError } from '../../lib/errors.ts';
import { closedError, storageError } from './errors.ts';

/** A write may be reported only when it is on the disk; Chromium's default, "relaxed", reports it when the OS has it. */
export const DURABLE: IDBTransactionOptions = { durability: 'strict' };

/** The object stores of a database; what is in them has format versions of its own. */
export interface IdbLayout {
  readonly version: number;
  /** Makes the stores, or brings those of an older version up to this one, in the transaction that it is given. */
  readonly upgrade: NonNullable<OpenDBCallbacks<unknown>['upgrade']>;
}

/** An open database, whose connection comes back when the browser ended it. */
export interface Idb {
  /**
   * Runs work on it.
   * @param what the operation, for messages, e.g. "writing"
   * @throws `storage_failed` when it is closed, was deleted, or the browser refuses; `format_newer` when a newer app has taken
   *   it over; as {@link storageError} what the work throws
   */
  readonly attempt: <T>(what: string, work: (db: IDBPDatabase) => Promise<T>) => Promise<T>;
  readonly close: () => Promise<void>;
}

/**
 * Opens a database, which several tabs may have open.
 * @throws `format_newer` when a newer version of the app made it; `storage_failed` when the browser refuses storage
 */
export async function openIdb(name: string, layout: IdbLayout): Promise<Idb> {
  let state: 'open' | 'deleted' | 'outdated' | 'closed' = 'open';
  let connection: Promise<IDBPDatabase> | undefined;

  const connect = async () => {
    if (state === 'closed') throw closedError(name);
    if (state === 'outdated') throw outdatedError(name);
    if (state === 'deleted') throw deletedError(name);
    connection ??= openConnection(name, layout, {
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
  const attempt: Idb['attempt'] = async (what, work) => {
    try {
      return await work(await connect());
    } catch (thrown) {
      throw storageError(thrown, what);
    }
  };

  await attempt('opening', connect);
  return {
    attempt,
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

/** Takes everything back that a transaction has done, if it has not ended yet. */
export function abort(transaction: { abort(): void }): void {
  try {
    transaction.abort();
  } catch (thrown) {
    // a failed request has aborted it already
    if (!(thrown instanceof DOMException && thrown.name === 'InvalidStateError')) throw thrown;
  }
}

interface ConnectionEvents {
  onTerminated(): void;
  onVersionChange(deleted: boolean): void;
}

async function openConnection(name: string, layout: IdbLayout, events: ConnectionEvents): Promise<IDBPDatabase> {
  let refuse: (reason: TabmeshError) => void = () => undefined;
  const blocked = new Promise<never>((_, reject) => (refuse = reject));
  const opening = openDB(name, layout.version, {
    upgrade: layout.upgrade,
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
