import { exportCar } from '../../data/car-export.ts';
import { findWholeDatasets } from '../../data/salvage.ts';
import type { RoomId } from '../../lib/ids.ts';
import { createBlockStore } from '../../mesh/storage/blocks.ts';
import { toBlob } from './room-client.ts';
import { openRoomBlocks } from './storage.ts';

/** Reading everything from disk, on the slowest machine. */
const EXPORT_TIMEOUT_MS = 10 * 60 * 1000;

/**
 * Every dataset that this browser has whole of a room, as one CAR, from its blocks alone: for the crash screen, when network,
 * workers, the list of datasets or even this device's own key may be what cannot be read. Changes nothing.
 * @throws `format_newer` when the database itself belongs to a newer app; `storage_failed`
 */
export async function exportStoredRoom(room: RoomId): Promise<Blob> {
  const signal = AbortSignal.timeout(EXPORT_TIMEOUT_MS);
  const store = await openRoomBlocks(room);
  try {
    const blocks = createBlockStore(store);
    const datasets = await findWholeDatasets(blocks.list(signal), blocks, signal);
    return await toBlob(exportCar(datasets, blocks, signal));
  } finally {
    await store.close();
  }
}
