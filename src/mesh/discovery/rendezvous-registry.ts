import type { Outcome, PeerQuery, PeerRecord } from '../../contracts/discovery.ts';
import type { Clock } from '../../lib/clock.ts';
import type { PeerId } from '../../lib/ids.ts';
import type { RelayAddress } from '../node/relay-address.ts';
import { throughRelay } from '../node/relay-address.ts';
import type { Introduction } from '../rendezvous/messages.ts';
import { BookRegistry } from './book-registry.ts';
import { done } from './outcome.ts';
import { parsePeerAddress } from './peer-address.ts';
import { MAX_ADDRESSES, newRecord } from './record.ts';

/** Peers that the room's relays have introduced. A peer is here now for as long as a relay lists it. */
export class RendezvousRegistry extends BookRegistry {
  /** by peer: the relays that list it */
  readonly #listed = new Map<PeerId, Map<string, readonly string[]>>();
  readonly #capabilitiesOf: (peer: PeerId) => readonly string[];

  /** @param capabilitiesOf what the peer says of itself once it is linked: a relay knows ids and addresses only */
  constructor(clock: Clock, capabilitiesOf: (peer: PeerId) => readonly string[] = () => []) {
    super('rendezvous', clock);
    this.#capabilitiesOf = capabilitiesOf;
  }

  /** A relay has introduced the peer. Addresses of other peers that it may claim for it are left out. */
  introduced({ peer, addresses }: Introduction, relay: RelayAddress): void {
    const direct = addresses.filter((address) => parsePeerAddress(address)?.peer === peer);
    let ways = direct;
    if (ways.length === 0) {
      try {
        ways = [true, false].map((webrtc) => throughRelay(relay, peer, webrtc).toString());
      } catch {
        // a relay that introduces what is no peer id: nobody there to be found
        return;
      }
    }
    const relays = this.#listed.get(peer) ?? new Map<string, readonly string[]>();
    relays.set(relay.peer, ways);
    this.#listed.set(peer, relays);
    this.#refresh(peer);
  }

  /** The relay lists the peer no longer; what is known of it ages from now on. */
  left(peer: PeerId, relay: RelayAddress): void {
    const relays = this.#listed.get(peer);
    if (relays?.delete(relay.peer) !== true) return;
    this.book.touch(peer, this.clock.now());
    if (relays.size === 0) this.#listed.delete(peer);
    else this.#refresh(peer);
  }

  relayGone(relay: RelayAddress): void {
    for (const peer of [...this.#listed.keys()]) this.left(peer, relay);
  }

  /** Whom relays list now: what this peer itself can vouch for, and so all that it tells others. */
  listed(): readonly PeerRecord[] {
    for (const peer of this.#listed.keys()) this.#refresh(peer);
    return this.book.all().filter(({ peer }) => this.#listed.has(peer));
  }

  /** A relay takes nothing but the presence of who asks, and has that already. */
  override async register(): Promise<Outcome<boolean>> {
    return done(false);
  }

  override async discover(query: PeerQuery, signal: AbortSignal): Promise<Outcome<readonly PeerRecord[]>> {
    for (const peer of this.#listed.keys()) this.#refresh(peer);
    return super.discover(query, signal);
  }

  #refresh(peer: PeerId): void {
    const ways = [...new Set([...(this.#listed.get(peer)?.values() ?? [])].flat())].slice(0, MAX_ADDRESSES);
    const capabilities = this.#capabilitiesOf(peer);
    this.book.put(newRecord({ peer, multiaddrs: ways, capabilities, source: 'rendezvous' }, this.clock.now()));
  }
}
