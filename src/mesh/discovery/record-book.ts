import type { PeerQuery, PeerRecord } from '../../contracts/discovery.ts';
import type { PeerId } from '../../lib/ids.ts';
import { hasCapabilities, isExpired } from './record.ts';

/** Four rooms' worth: what one source says must not fill the memory. */
const MAX_RECORDS = 1000;

/** Of these, what answers the query: not expired, most recently seen first, ties by peer id. */
export function selectRecords(records: Iterable<PeerRecord>, query: PeerQuery, now: number): PeerRecord[] {
  return [...records]
    .filter((record) => !isExpired(record, now) && hasCapabilities(record, query.capabilities))
    .sort((a, b) => b.lastSeen - a.lastSeen || (a.peer < b.peer ? -1 : 1))
    .slice(0, Math.max(0, query.maxPeers));
}

/** Records in memory, one a peer. */
export class RecordBook {
  readonly #records = new Map<PeerId, PeerRecord>();

  get(peer: PeerId): PeerRecord | undefined {
    return this.#records.get(peer);
  }

  all(): readonly PeerRecord[] {
    return [...this.#records.values()];
  }

  /** Replaces what is known of the peer, except when it was first seen. */
  put(record: PeerRecord): void {
    const known = this.#records.get(record.peer);
    const firstSeen = known === undefined ? record.firstSeen : Math.min(known.firstSeen, record.firstSeen);
    this.#records.set(record.peer, { ...record, firstSeen });
    if (this.#records.size > MAX_RECORDS) this.#dropOldest();
  }

  /** @returns false when the peer is not here */
  touch(peer: PeerId, now: number): boolean {
    const known = this.#records.get(peer);
    if (known === undefined) return false;
    this.#records.set(peer, { ...known, lastSeen: now });
    return true;
  }

  delete(peer: PeerId): boolean {
    return this.#records.delete(peer);
  }

  find(query: PeerQuery, now: number): PeerRecord[] {
    return selectRecords(this.#records.values(), query, now);
  }

  /** Takes out the expired. @returns how many */
  cleanup(now: number): number {
    const expired = this.all().filter((record) => isExpired(record, now));
    for (const { peer } of expired) this.#records.delete(peer);
    return expired.length;
  }

  #dropOldest(): void {
    const oldest = this.all().reduce((a, b) => (b.lastSeen < a.lastSeen ? b : a));
    this.#records.delete(oldest.peer);
  }
}
