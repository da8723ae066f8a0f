import type { KeyValueStore } from '../../contracts/kv.ts';
import { FORMAT_VERSIONS } from '../../contracts/versions.ts';
import type { RoomId } from '../../lib/ids.ts';
import { openIdbStore } from '../../mesh/storage/kv-idb.browser.ts';
import { openVersioned } from '../../mesh/storage/versioned.ts';

/** What the names of all databases of this app begin with. */
export const DATABASE_PREFIX = 'tabmesh/';

/** The databases of one room on this device: small things and blocks apart, so that listing keys never walks blocks. */
export const roomDatabases = (room: RoomId) => ({
  store: `${DATABASE_PREFIX}room/${room}`,
  blocks: `${DATABASE_PREFIX}room/${room}/blocks`,
});

/**
 * Opens what this device stores of one room but for the blocks: apart, since a worker that needs no blocks need not load what
 * reads them.
 * @throws `format_newer` when a newer app wrote it, and nothing was touched; `storage_failed`
 */
export async function openRoomStore(room: RoomId): Promise<KeyValueStore> {
  const store = await openIdbStore(roomDatabases(room).store);
  try {
    await openVersioned(store, 'room', FORMAT_VERSIONS.room);
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}
