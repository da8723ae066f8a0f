import type { Page } from '@playwright/test';

/** All that a page shows and its profile stores, as one text: every database, the two storages, the document. */
export async function storedText(page: Page): Promise<string> {
  return await page.evaluate(async () => {
    const latin1 = new TextDecoder('latin1');
    const settled = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => {
          resolve(request.result);
        };
        request.onerror = () => {
          reject(request.error ?? new Error('no answer'));
        };
      });
    const write = (_key: string, value: unknown): unknown =>
      value instanceof Uint8Array ? latin1.decode(value) : value instanceof ArrayBuffer ? latin1.decode(value) : value;
    const parts = [document.documentElement.outerHTML, location.href];
    for (const storage of [localStorage, sessionStorage]) parts.push(JSON.stringify(Object.entries(storage)));
    for (const { name = '' } of await indexedDB.databases()) {
      const database = await settled(indexedDB.open(name));
      for (const store of database.objectStoreNames) {
        const objects = database.transaction(store).objectStore(store);
        parts.push(JSON.stringify([name, await settled(objects.getAllKeys()), await settled(objects.getAll())], write));
      }
      database.close();
    }
    return parts.join('\n');
  });
}
