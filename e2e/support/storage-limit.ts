import { expect, type Page } from '@playwright/test';

/** Enough for a room with a little data and two copies of the app, which a service worker briefly holds; quick to fill. */
const LIMIT_BYTES = 24 * 1024 ** 2;
const LARGEST_WRITE = 1024 ** 2;
/** A write that is refused is tried again at half its size, down to this one: less than any batch of records. */
const SMALLEST_WRITE = 16 * 1024;

/** How much a profile may store, which Chromium holds to. */
export interface StorageLimit {
  /**
   * Leaves no room at all.
   * @throws when the browser never refused a write, so that the limit is not in force
   */
  useUp(): Promise<void>;
}

/**
 * Limits what a page's profile may store for an origin.
 *
 * Chromium asks for the quota only now and then: IndexedDB is granted all that is free, and may spend it for 30 seconds
 * (`BucketContext::kBucketSpaceCacheTimeLimit`). A quota that is lowered in mid-work is therefore not in force until then.
 * This one is there before the first grant, and `useUp` spends what was granted under it. `navigator.storage.estimate`
 * cannot tell: it says nothing of such a quota.
 * @param page that has stored nothing yet
 */
export async function limitStorage(page: Page, origin: string): Promise<StorageLimit> {
  const devtools = await page.context().newCDPSession(page);
  const { usage } = await devtools.send('Storage.getUsageAndQuota', { origin });
  if (usage > 0) throw new Error(`${origin} has stored ${usage} bytes already, under another quota`);
  await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: LIMIT_BYTES });
  return {
    async useUp() {
      const { written, refusals } = await fill(page);
      expect(refusals, `${written} bytes were written to the full disk`).toContain('QuotaExceededError');
      expect(new Set(refusals).size, `all were refused for the same reason: ${refusals.join()}`).toBe(1);
      // nothing is granted any more, so that this is in force at once; what somebody deletes makes no room now
      await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1 });
    },
  };
}

/** Writes what cannot be compressed to a database of its own until even the smallest write is refused. */
async function fill(page: Page): Promise<{ readonly written: number; readonly refusals: readonly string[] }> {
  return await page.evaluate(
    async ({ limit, largest, smallest }) => {
      const open = indexedDB.open('filler');
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        open.onupgradeneeded = () => open.result.createObjectStore('random', { autoIncrement: true });
        open.onsuccess = () => {
          resolve(open.result);
        };
        open.onerror = () => {
          reject(open.error ?? new Error('not opened'));
        };
      });
      const write = (bytes: Uint8Array) =>
        new Promise<string | null>((resolve) => {
          const transaction = database.transaction('random', 'readwrite');
          transaction.oncomplete = () => {
            resolve(null);
          };
          transaction.onabort = () => {
            resolve(transaction.error?.name ?? 'aborted');
          };
          transaction.objectStore('random').add(bytes);
        });
      /** the most that `getRandomValues` gives at once */
      const part = 65_536;
      const refusals: string[] = [];
      let written = 0;
      for (let size = largest; size >= smallest && written <= limit;) {
        const bytes = new Uint8Array(size);
        for (let at = 0; at < size; at += part) crypto.getRandomValues(bytes.subarray(at, at + part));
        const refusal = await write(bytes);
        if (refusal === null) {
          written += size;
        } else {
          refusals.push(refusal);
          size /= 2;
        }
      }
      database.close();
      return { written, refusals };
    },
    { limit: LIMIT_BYTES, largest: LARGEST_WRITE, smallest: SMALLEST_WRITE },
  );
}
