import type { Outcome, PeerQuery, PeerRecord, PeerRegistry, PeerSource } from '../../contracts/discovery.ts';
import type { Clock } from '../../lib/clock.ts';
import type { PeerId } from '../../lib/ids.ts';
import { attempt } from './outcome.ts';
import { isExpired } from './record.ts';
import { selectRecords } from './record-book.ts';
import type { RecordStore } from './record-store.ts';

/** The peers that this device remembers from before. */
export class LocalRegistry implements PeerRegistry {
  readonly name: PeerSource;
  readonly #store: RecordStore;
  readonly #clock: Clock;

  constructor(name: 'local_file' | 'local_store', store: RecordStore, clock: Clock) {
    this.name = name;
    this.#store = store;
    this.#clock = clock;
  }

  available(): boolean {
    return true;
  }

  register(record: PeerRecord, signal: AbortSignal): Promise<Outcome<boolean>> {
    return attempt(false, async () => {
      signal.throwIfAborted();
      await this.#store.change(record.peer, (known) => ({
        ...record,
        firstSeen: Math.min(known?.firstSeen ?? record.firstSeen, record.firstSeen),
        source: this.name,
      }));
      return true;
    });
  }

  discover(query: PeerQuery, signal: AbortSignal): Promise<Outcome<readonly PeerRecord[]>> {
    return attempt<readonly PeerRecord[]>([], async () => {
      signal.throwIfAborted();
      return selectRecords(await this.#store.list(), query, this.#clock.now());
    });
  }

  update(peer: PeerId, signal: AbortSignal): Promise<Outcome<boolean>> {
    return attempt(false, async () => {
      signal.throwIfAborted();
      let found = false;
      await this.#store.change(peer, (known) => {
        found = known !== undefined;
        return known === undefined ? undefined : { ...known, lastSeen: this.#clock.now() };
      });
      return found;
    });
  }

  cleanup(signal: AbortSignal): Promise<Outcome<number>> {
    return attempt(0, async () => {
      signal.throwIfAborted();
      const now = this.#clock.now();
      return await this.#store.clean((record) => isExpired(record, now), now);
    });
  }
}
