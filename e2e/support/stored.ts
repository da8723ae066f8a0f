import type { Page } from '@playwright/test';

/** The object store that every database of the app has. */
const STORE = 'kv';

/** Writes one value straight into a profile's IndexedDB, past the app. Bytes are given as a list of numbers. */
export async function writeStored(
  page: Page,
  database: string,
  key: string,
  value: number | { readonly bytes: readonly number[] } | Readonly<Record<string, unknown>>,
): Promise<void> {
  await page.evaluate(
    async ({ name, store, key: at, value: given }) => {
      const open = indexedDB.open(name);
      const db = await new Promise<IDBDatabase>((resolve, reject) => {
        open.onsuccess = () => {
          resolve(open.result);
        };
        open.onerror = () => {
          reject(open.error ?? new Error('not opened'));
        };
      });
      try {
        const transaction = db.transaction(store, 'readwrite');
        const isBytes = typeof given === 'object' && 'bytes' in given;
        transaction.objectStore(store).put(isBytes ? Uint8Array.from(given.bytes as number[]) : given, at);
        await new Promise<void>((resolve, reject) => {
          transaction.oncomplete = () => {
            resolve();
          };
          transaction.onabort = () => {
            reject(transaction.error ?? new Error('not written'));
          };
        });
      } finally {
        db.close();
      }
    },
    { name: database, store: STORE, key, value },
  );
}

/** Everything that a database holds, as text, for comparing: keys in their order, each with its value. */
export async function dumpStored(page: Page, database: string): Promise<readonly (readonly [string, string])[]> {
  return await page.evaluate(
    async ({ name, store }) => {
      const open = indexedDB.open(name);
      const db = await new Promise<IDBDatabase>((resolve, reject) => {
        open.onsuccess = () => {
          resolve(open.result);
        };
        open.onerror = () => {
          reject(open.error ?? new Error('not opened'));
        };
      });
      const all = <T>(request: IDBRequest<T>) =>
        new Promise<T>((resolve, reject) => {
          request.onsuccess = () => {
            resolve(request.result);
          };
          request.onerror = () => {
            reject(request.error ?? new Error('not read'));
          };
        });
      const text = (_key: string, value: unknown) => (value instanceof Uint8Array ? `bytes ${value.join()}` : value);
      try {
        const objects = db.transaction(store).objectStore(store);
        const [keys, values] = await Promise.all([all(objects.getAllKeys()), all(objects.getAll())]);
        return keys.map((key, index) => [key as string, JSON.stringify(values[index], text)] as const);
      } finally {
        db.close();
      }
    },
    { name: database, store: STORE },
  );
}
