import type { Chain } from './chain.ts';
import {
  COMPACT_AT_OPEN_ENTRIES,
  COMPACT_AT_OPEN_RATIO,
  COMPACT_BYTES,
  COMPACT_ENTRIES,
  COMPACT_ENTRIES_PER_SNAPSHOT_ENTRY,
  ENTRY_OVERHEAD_BYTES,
} from './limits.ts';

/** Whether so much has been written since the snapshot that a new one is due. A log stays within a factor of its snapshot. */
export function isCompactionDue({ seq, bytes, snapshot, snapshotBytes }: Chain): boolean {
  const entriesSince = seq + 1 - snapshot;
  return (
    entriesSince >= Math.max(COMPACT_ENTRIES, COMPACT_ENTRIES_PER_SNAPSHOT_ENTRY * snapshot) ||
    bytes - snapshotBytes >= Math.max(COMPACT_BYTES, snapshotBytes)
  );
}

/** Whether it is worth looking at a log when it is opened: making a snapshot to compare with takes as long as loading it. */
export function mayBeCompactedAtOpening({ seq, snapshot }: Chain): boolean {
  return seq + 1 - snapshot >= COMPACT_AT_OPEN_ENTRIES;
}

/** Whether a log is much larger than the snapshot that would replace it. */
export function isMuchLarger({ seq, bytes }: Chain, snapshot: readonly Uint8Array[]): boolean {
  const size = snapshot.reduce((sum, update) => sum + update.byteLength, 0) + snapshot.length * ENTRY_OVERHEAD_BYTES;
  return bytes + (seq + 1) * ENTRY_OVERHEAD_BYTES >= COMPACT_AT_OPEN_RATIO * size;
}
