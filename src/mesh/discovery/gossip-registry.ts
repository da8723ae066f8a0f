import type { Outcome, PeerQuery, PeerRecord } from '../../contracts/discovery.ts';
import type { Clock } from '../../lib/clock.ts';
import { startDeadline } from '../../lib/deadline.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import type { PeerId } from '../../lib/ids.ts';
import { mapBounded } from '../../lib/semaphore.ts';
import { BookRegistry } from './book-registry.ts';
import { decodePeers } from './gossip-messages.ts';
import { done } from './outcome.ts';

/** Members asked at once: their answers are small, but each occupies a stream. */
const PARALLEL = 4;
/** All members say nearly the same; this many also find a peer that only some relay lists. */
const MAX_ASKED = 12;
/** A member answers from memory. */
const TIMEOUT_MS = 3_000;

export interface GossipOptions {
  readonly self: PeerId;
  readonly clock: Clock;
  /** members that are linked now */
  readonly members: () => readonly PeerId[];
  /** sends {@link PEERS_METHOD} to a member and gives its answer */
  readonly ask: (member: PeerId, signal: AbortSignal) => Promise<unknown>;
}

/**
 * What members know of other peers. A member can lie about addresses: that costs a dial, since whoever answers there has
 * to prove its peer id and its membership.
 */
export class GossipRegistry extends BookRegistry {
  readonly #options: GossipOptions;

  constructor(options: GossipOptions) {
    super('gossip', options.clock);
    this.#options = options;
  }

  /** Members tell what they have seen themselves; there is nothing to give them. */
  override async register(): Promise<Outcome<boolean>> {
    return done(false);
  }

  /** Asks the linked members. Fails only when all of them did. */
  override async discover(query: PeerQuery, signal: AbortSignal): Promise<Outcome<readonly PeerRecord[]>> {
    const members = this.#options.members().slice(0, MAX_ASKED);
    const failures: TabmeshError[] = [];
    await mapBounded(members, PARALLEL, async (member) => {
      try {
        this.#heard(await this.#ask(member, signal));
      } catch (thrown) {
        failures.push(toTabmeshError(thrown));
      }
    });
    const found = await super.discover(query, signal);
    const [failure] = failures;
    if (failure === undefined || failures.length < members.length) return found;
    const who =
      members.length === 1 ? 'the one member here did not answer' : `none of ${members.length} members answered`;
    const error = new TabmeshError(failure.code, `${who}: ${failure.message}`, {
      retryable: true,
      cause: failure,
    });
    return { value: found.value, error };
  }

  async #ask(member: PeerId, signal: AbortSignal): Promise<readonly PeerRecord[]> {
    const { clock, ask } = this.#options;
    const deadline = startDeadline({ clock, ms: TIMEOUT_MS, what: 'asking a member for peers', signal });
    try {
      return decodePeers(await deadline.race(ask(member, deadline.signal)), clock.now());
    } finally {
      deadline.dispose();
    }
  }

  #heard(records: readonly PeerRecord[]): void {
    for (const record of records) {
      if (record.peer === this.#options.self) continue;
      const known = this.book.get(record.peer);
      // several members tell of the same peer: the newest word counts
      if (known === undefined || known.lastSeen < record.lastSeen) this.book.put(record);
    }
  }
}
