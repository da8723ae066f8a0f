import type { KeyValueStore } from '../../contracts/kv.ts';
import { FORMAT_VERSIONS } from '../../contracts/versions.ts';
import type { RoomId } from '../../lib/ids.ts';
import { deleteIdbStore, openIdbStore } from '../../mesh/storage/kv-idb.browser.ts';
import { openVersioned } from '../../mesh/storage/versioned.ts';

const PREFIX = 'tabmesh/';
const DEVICE = `${PREFIX}device`;

/** The databases of one room on this device: small things and blocks apart, so that listing keys never walks blocks. */
const databases = (room: RoomId) => ({ store: `${PREFIX}room/${room}`, blocks: `${PREFIX}room/${room}/blocks` });

/** What this device stores of one room. Tabs and workers open it each for themselves. */
export interface RoomStorage {
  readonly store: KeyValueStore;
  readonly blocks: KeyValueStore;
  close(): Promise<void>;
}

/** The device's own database: its key, slots, rooms and settings. */
export function openDeviceStore(): Promise<KeyValueStore> {
  return openIdbStore(DEVICE);
}

/** @throws `format_newer` when a newer app wrote it, and nothing was touched; `storage_failed` */
export async function openRoomStorage(room: RoomId): Promise<RoomStorage> {
  const names = databases(room);
  const [store, blocks] = await Promise.all([openIdbStore(names.store), openIdbStore(names.blocks)]);
  const close = async () => {
    await Promise.all([store.close(), blocks.close()]);
  };
  try {
    await openVersioned(store, 'room', FORMAT_VERSIONS.room);
  } catch (error) {
    await close();
    throw error;
  }
  return { store, blocks, close };
}

/** The blocks of a room alone, whatever version the rest is of: a block is what its address says. @throws `storage_failed` */
export function openRoomBlocks(room: RoomId): Promise<KeyValueStore> {
  return openIdbStore(databases(room).blocks);
}

/** Deletes all that this device stores of a room. */
export async function deleteRoomStorage(room: RoomId): Promise<void> {
  const names = databases(room);
  await Promise.all([deleteIdbStore(names.store), deleteIdbStore(names.blocks)]);
}

/** Deletes what this device stores of a room, but for the blocks of its datasets. */
export async function deleteRoomLists(room: RoomId): Promise<void> {
  await deleteIdbStore(databases(room).store);
}

/** Deletes every database of this app in this browser. */
export async function deleteEverything(): Promise<void> {
  const names = (await indexedDB.databases()).flatMap(({ name }) => (name?.startsWith(PREFIX) ? [name] : []));
  await Promise.all(names.map((name) => deleteIdbStore(name)));
}
