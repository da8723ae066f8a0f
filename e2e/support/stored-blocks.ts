import type { Page } from '@playwright/test';
import { base32 } from 'multiformats/bases/base32';
import { CID } from 'multiformats/cid';

/** The object store of every database of the app, and what its blocks' keys begin with. */
const STORE = 'kv';
const PREFIX = 'block/';

/**
 * Reads a block straight from a profile's IndexedDB, past the app.
 * @returns its bytes; null when this device does not have it
 */
export async function storedBlock(page: Page, room: string, cid: string): Promise<Uint8Array | null> {
  const key = PREFIX + base32.baseEncode(CID.parse(cid).multihash.bytes);
  const bytes = await page.evaluate(
    async ({ name, store, key: wanted }) => {
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const request = indexedDB.open(name);
        request.onsuccess = () => {
          resolve(request.result);
        };
        request.onerror = () => {
          reject(request.error ?? new Error('not opened'));
        };
      });
      try {
        return await new Promise<number[] | null>((resolve, reject) => {
          const request = database.transaction(store).objectStore(store).get(wanted);
          request.onsuccess = () => {
            const found = request.result as Uint8Array | undefined;
            resolve(found === undefined ? null : [...found]);
          };
          request.onerror = () => {
            reject(request.error ?? new Error('not read'));
          };
        });
      } finally {
        database.close();
      }
    },
    { name: `tabmesh/room/${room}/blocks`, store: STORE, key },
  );
  return bytes === null ? null : Uint8Array.from(bytes);
}
