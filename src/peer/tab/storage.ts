import type { KeyValueStore } from '../../contracts/kv.ts';
import type { RoomId } from '../../lib/ids.ts';
import type { IdbBlocks } from '../../mesh/storage/blocks-idb.browser.ts';
import { openIdbBlocks } from '../../mesh/storage/blocks-idb.browser.ts';
import { deleteIdbStore } from '../../mesh/storage/idb.browser.ts';
import { openIdbStore } from '../../mesh/storage/kv-idb.browser.ts';
import { DATABASE_PREFIX, openRoomStore, roomDatabases } from './room-store.ts';

const DEVICE = `${DATABASE_PREFIX}device`;

/** What this device stores of one room. Tabs and workers open it each for themselves. */
export interface RoomStorage {
  readonly store: KeyValueStore;
  readonly blocks: IdbBlocks;
  close(): Promise<void>;
}

/** The device's own database: its key, slots, rooms and settings. */
export function openDeviceStore(): Promise<KeyValueStore> {
  return openIdbStore(DEVICE);
}

/** @throws `format_newer` when a newer app wrote it, and nothing was touched; `storage_failed` */
export async function openRoomStorage(room: RoomId): Promise<RoomStorage> {
  const store = await openRoomStore(room);
  try {
    const blocks = await openRoomBlocks(room);
    const close = async () => {
      await Promise.all([store.close(), blocks.close()]);
    };
    return { store, blocks, close };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** The blocks of a room alone, whatever version the rest is of: a block is what its address says. @throws `storage_failed` */
export function openRoomBlocks(room: RoomId): Promise<IdbBlocks> {
  return openIdbBlocks(roomDatabases(room).blocks);
}

/** Deletes all that this device stores of a room. */
export async function deleteRoomStorage(room: RoomId): Promise<void> {
  const names = roomDatabases(room);
  await Promise.all([deleteIdbStore(names.store), deleteIdbStore(names.blocks)]);
}

/** Deletes what this device stores of a room, but for the blocks of its datasets. */
export async function deleteRoomLists(room: RoomId): Promise<void> {
  await deleteIdbStore(roomDatabases(room).store);
}

/** Deletes every database of this app in this browser. */
export async function deleteEverything(): Promise<void> {
  const names = (await indexedDB.databases()).flatMap(({ name }) => (name?.startsWith(DATABASE_PREFIX) ? [name] : []));
  await Promise.all(names.map((name) => deleteIdbStore(name)));
}
