import { exportCar } from '../../data/car-export.ts';
import type { RoomId } from '../../lib/ids.ts';
import type { DeviceKey } from '../../mesh/identity/device-key.ts';
import { createReplica } from '../../mesh/replica/replica.ts';
import { createBlockStore } from '../../mesh/storage/blocks.ts';
import { createWebLock } from '../../mesh/storage/lock.browser.ts';
import { toBlob } from './room-client.ts';
import { openRoomStorage } from './storage.ts';

/** Reading everything from disk, on the slowest machine. */
const EXPORT_TIMEOUT_MS = 10 * 60 * 1000;

/** Every dataset that this device keeps of a room, as one CAR, without network, workers or node: for the crash screen. */
export async function exportStoredRoom(room: RoomId, deviceKey: DeviceKey): Promise<Blob> {
  const storage = await openRoomStorage(room);
  try {
    const lock = createWebLock(`tabmesh/replica/${room}`);
    const replica = await createReplica({ room, deviceKey, store: storage.store, lock });
    const kept = Object.values(replica.state().devices[replica.device]?.datasets ?? {});
    try {
      return await toBlob(exportCar(kept, createBlockStore(storage.blocks), AbortSignal.timeout(EXPORT_TIMEOUT_MS)));
    } finally {
      await replica.close();
    }
  } finally {
    await storage.close();
  }
}
