import type { Outcome, PeerQuery, PeerRecord, PeerRegistry, PeerSource } from '../../contracts/discovery.ts';
import type { Clock } from '../../lib/clock.ts';
import type { PeerId } from '../../lib/ids.ts';
import { done } from './outcome.ts';
import { RecordBook } from './record-book.ts';

/** A registry in memory: what the sources have in common that are fed by events. */
export class BookRegistry implements PeerRegistry {
  readonly name: PeerSource;
  protected readonly book = new RecordBook();
  protected readonly clock: Clock;

  constructor(name: PeerSource, clock: Clock) {
    this.name = name;
    this.clock = clock;
  }

  available(): boolean {
    return true;
  }

  async register(record: PeerRecord, _signal: AbortSignal): Promise<Outcome<boolean>> {
    this.book.put({ ...record, source: this.name });
    return done(true);
  }

  async discover(query: PeerQuery, _signal: AbortSignal): Promise<Outcome<readonly PeerRecord[]>> {
    return done(this.book.find(query, this.clock.now()));
  }

  async update(peer: PeerId, _signal: AbortSignal): Promise<Outcome<boolean>> {
    return done(this.book.touch(peer, this.clock.now()));
  }

  async cleanup(_signal: AbortSignal): Promise<Outcome<number>> {
    return done(this.book.cleanup(this.clock.now()));
  }
}
