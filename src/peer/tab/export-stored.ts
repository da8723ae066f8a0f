import { exportCar } from '../../data/car-export.ts';
import { findWholeDatasets } from '../../data/salvage.ts';
import type { RoomId } from '../../lib/ids.ts';
import { openRoomBlocks } from './storage.ts';
import { toBlob } from './to-blob.ts';

/** Reading everything from disk, on the slowest machine. */
const EXPORT_TIMEOUT_MS = 10 * 60 * 1000;

/**
 * Every dataset that this browser has whole of a room, as one CAR, from its blocks alone: for the crash screen, when network,
 * workers, the list of datasets or even this device's own key may be what cannot be read. Changes nothing.
 * @throws `format_newer` when the database itself belongs to a newer app; `storage_failed`
 */
export async function exportStoredRoom(room: RoomId): Promise<Blob> {
  return (await storedDatasets(room, AbortSignal.timeout(EXPORT_TIMEOUT_MS))).car;
}

/** The same, with how many there are. @throws as {@link exportStoredRoom}; `signal.reason` */
export async function storedDatasets(
  room: RoomId,
  signal: AbortSignal,
): Promise<{ readonly car: Blob; readonly count: number }> {
  const blocks = await openRoomBlocks(room);
  try {
    const datasets = await findWholeDatasets(blocks.list(signal), blocks, signal);
    return { car: await toBlob(exportCar(datasets, blocks, signal)), count: datasets.length };
  } finally {
    await blocks.close();
  }
}
