import type { PeerRecord } from '../../contracts/discovery.ts';
import type { PeerId } from '../../lib/ids.ts';

/** Where a device keeps peer records: a file, or a part of a key-value store. Every promise resolves when it is durable. */
export interface RecordStore {
  list(): Promise<readonly PeerRecord[]>;
  /**
   * Changes one peer's record; nothing else writes meanwhile.
   * @param change gets what is stored; its answer is stored, undefined changes nothing
   */
  change(peer: PeerId, change: (known: PeerRecord | undefined) => PeerRecord | undefined): Promise<void>;
  /**
   * Deletes the records that `expired` names, and notes when.
   * @param now ms since the epoch
   * @returns how many there were
   */
  clean(expired: (record: PeerRecord) => boolean, now: number): Promise<number>;
  /** when {@link clean} last ran, ms since the epoch; null before */
  cleanedAt(): Promise<number | null>;
}
