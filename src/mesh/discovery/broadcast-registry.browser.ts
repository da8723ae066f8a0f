import type { Outcome, PeerQuery, PeerRecord } from '../../contracts/discovery.ts';
import type { Clock } from '../../lib/clock.ts';
import type { PeerId, RoomId } from '../../lib/ids.ts';
import { isPlainMap } from '../../lib/strict-map.ts';
import { BookRegistry } from './book-registry.ts';
import { done } from './outcome.ts';
import { recordFromPlain, recordToPlain } from './record.ts';

/** Tabs of one browser answer within a few ms, a busy one within this; a throttled one is heard of the next time. */
const ANSWER_MS = 150;

/** The tabs of this browser that have the room open, over BroadcastChannel. They need no network to know of each other. */
export class BroadcastRegistry extends BookRegistry {
  readonly #channel: BroadcastChannel;
  /** records that were registered here: those to answer with */
  readonly #own = new Set<PeerId>();

  constructor(room: RoomId, clock: Clock) {
    super('broadcast', clock);
    this.#channel = new BroadcastChannel(`tabmesh/peers/${room}`);
    this.#channel.addEventListener('message', this.#onMessage);
  }

  override async register(record: PeerRecord, signal: AbortSignal): Promise<Outcome<boolean>> {
    await super.register(record, signal);
    this.#own.add(record.peer);
    this.#tell(record.peer);
    return done(true);
  }

  override async update(peer: PeerId, signal: AbortSignal): Promise<Outcome<boolean>> {
    const outcome = await super.update(peer, signal);
    if (this.#own.has(peer)) this.#tell(peer);
    return outcome;
  }

  override async discover(query: PeerQuery, signal: AbortSignal): Promise<Outcome<readonly PeerRecord[]>> {
    this.#channel.postMessage({ type: 'who' });
    await this.clock.sleep(ANSWER_MS, signal);
    return super.discover(query, signal);
  }

  /** Says that this tab's records hold no longer, and listens no more. */
  close(): void {
    for (const peer of this.#own) this.#channel.postMessage({ type: 'gone', peer });
    this.#channel.removeEventListener('message', this.#onMessage);
    this.#channel.close();
  }

  readonly #onMessage = ({ data }: MessageEvent<unknown>): void => {
    // another version of the app may speak differently
    if (!isPlainMap(data)) return;
    const { type, peer, record } = data;
    if (type === 'who') for (const own of this.#own) this.#tell(own);
    else if (type === 'gone' && typeof peer === 'string' && !this.#own.has(peer as PeerId)) {
      this.book.delete(peer as PeerId);
    } else if (type === 'here') this.#heard(record);
  };

  #heard(value: unknown): void {
    let record: PeerRecord;
    try {
      record = recordFromPlain(value);
    } catch {
      // as above
      return;
    }
    if (!this.#own.has(record.peer)) this.book.put({ ...record, source: 'broadcast' });
  }

  #tell(peer: PeerId): void {
    const record = this.book.get(peer);
    if (record !== undefined) this.#channel.postMessage({ type: 'here', record: recordToPlain(record) });
  }
}
