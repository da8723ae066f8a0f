import type { RoomClient } from '../../contracts/app.ts';
import type { KeyValueStore } from '../../contracts/kv.ts';
import type { RoomId } from '../../lib/ids.ts';
import type { DeviceKey } from '../../mesh/identity/device-key.ts';
import { renewDeviceKeyIn } from '../../mesh/identity/device-key.ts';
import { OWNER } from '../room/sweep-room.ts';
import { storedDatasets } from './export-stored.ts';
import { deleteRoomLists, openRoomStorage } from './storage.ts';

/** Reading everything from disk, and indexing it, on the slowest machine. */
const TIMEOUT_MS = 20 * 60 * 1000;

export interface StartOverOptions {
  readonly room: RoomId;
  /** the key that a copy of this device uses, too */
  readonly old: DeviceKey;
  readonly deviceStore: KeyValueStore;
  /** opens the room with the key that is stored by then */
  readonly open: () => Promise<RoomClient>;
}

/**
 * Makes this browser another device in a room, and gives the room what is stored here again. The room is closed. Until the
 * last step the store names the old device as its owner, so that nothing deletes the blocks as unlisted, whatever happens in
 * between.
 * @throws `storage_failed`, `quota_exceeded`
 */
export async function startOver({ room, old, deviceStore, open }: StartOverOptions): Promise<RoomClient> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const { car, count } = await storedDatasets(room, signal);
  const key = await renewDeviceKeyIn(room, deviceStore);
  await deleteRoomLists(room);
  await setOwner(room, old);
  const client = await open();
  try {
    if (count > 0) await client.importDatasets(car, signal);
    await setOwner(room, key);
  } catch (error) {
    await client.close();
    throw error;
  }
  return client;
}

async function setOwner(room: RoomId, { id }: DeviceKey): Promise<void> {
  const storage = await openRoomStorage(room);
  try {
    await storage.store.put(OWNER, id);
  } finally {
    await storage.close();
  }
}
