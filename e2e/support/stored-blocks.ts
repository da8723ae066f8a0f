import type { Page } from '@playwright/test';

/** How a tab keeps its blocks: what is in each pack, and under the same id its bytes. */
const STORES = ['contents', 'packs'] as const;

interface StoredBlock {
  readonly cid: string;
  readonly bytes: readonly number[];
}

/**
 * Reads a block straight from a profile's IndexedDB, past the app.
 * @returns its bytes; null when this device does not have it
 */
export async function storedBlock(page: Page, room: string, cid: string): Promise<Uint8Array | null> {
  const found = (await dumpBlocks(page, room)).find((block) => block.cid === cid);
  return found === undefined ? null : Uint8Array.from(found.bytes);
}

/** All blocks that a profile has of a room, in the order of their addresses. */
export async function dumpBlocks(page: Page, room: string): Promise<readonly StoredBlock[]> {
  const blocks = await inBlocks(page, room, null);
  return blocks.toSorted((a, b) => (a.cid < b.cid ? -1 : 1));
}

/** Writes a block straight into a profile's IndexedDB, past the app. */
export async function writeBlock(page: Page, room: string, cid: string, bytes: Uint8Array): Promise<void> {
  await inBlocks(page, room, { cid, bytes: [...bytes] });
}

/** @param added written before all are read */
function inBlocks(page: Page, room: string, added: StoredBlock | null): Promise<readonly StoredBlock[]> {
  return page.evaluate(
    async ({ name, stores, block }) => {
      const settled = <T>(request: IDBRequest<T>) =>
        new Promise<T>((resolve, reject) => {
          request.onsuccess = () => {
            resolve(request.result);
          };
          request.onerror = () => {
            reject(request.error ?? new Error('no answer'));
          };
        });
      const database = await settled(indexedDB.open(name));
      try {
        const transaction = database.transaction(stores, 'readwrite');
        const [contents, packs] = stores.map((store) => transaction.objectStore(store));
        if (contents === undefined || packs === undefined) return [];
        if (block !== null) {
          const id = await settled(contents.add({ cids: [block.cid], ends: [block.bytes.length] }));
          await settled(packs.add(Uint8Array.from(block.bytes), id));
        }
        const found: { cid: string; bytes: number[] }[] = [];
        type Contents = { readonly id: number; readonly cids: readonly string[]; readonly ends: readonly number[] };
        for (const { id, cids, ends } of (await settled(contents.getAll())) as Contents[]) {
          const bytes = (await settled(packs.get(id))) as Uint8Array;
          for (const [index, cid] of cids.entries()) {
            found.push({ cid, bytes: [...bytes.subarray(ends[index - 1] ?? 0, ends[index])] });
          }
        }
        return found;
      } finally {
        database.close();
      }
    },
    { name: `tabmesh/room/${room}/blocks`, stores: STORES, block: added },
  );
}
