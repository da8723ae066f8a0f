import type { PeerRecord } from '../../contracts/discovery.ts';
import type { Clock } from '../../lib/clock.ts';
import type { PeerId } from '../../lib/ids.ts';
import type { RelayAddress } from '../node/relay-address.ts';
import { hostOf } from '../node/relay-address.ts';
import type { Introduction } from '../rendezvous/messages.ts';
import { parsePeerAddress } from './peer-address.ts';

/** Somebody has seen it so lately that it may still be there. */
const FRESH_MS = 5 * 60_000;
/** A way that has not worked by then does not. */
const PATIENCE_MS = 2 * 60_000;
/** As many as a tab keeps links. */
const MAX_AT_ONCE = 12;

export interface DialDiscoveredOptions {
  readonly self: PeerId;
  readonly relays: () => readonly RelayAddress[];
  /** whether addresses at this `host:port` may be dialled */
  readonly allows: (host: string) => boolean;
  readonly isLinked: (peer: PeerId) => boolean;
  /** has the dialer keep a link to the peer; the relay stands for who told of it */
  readonly want: (introduction: Introduction, by: RelayAddress) => void;
  readonly drop: (peer: PeerId, by: RelayAddress) => void;
  readonly clock: Clock;
}

interface Wanted {
  readonly by: RelayAddress;
  readonly since: number;
  /** of the record that it was wanted for */
  readonly seen: number;
  dropped: boolean;
}

/** Brings peers that no relay has introduced to the dialer, for a while each: nobody tells when they are gone. */
export class DialDiscovered {
  readonly #options: DialDiscoveredOptions;
  readonly #wanted = new Map<PeerId, Wanted>();

  constructor(options: DialDiscoveredOptions) {
    this.#options = options;
  }

  /** Takes what discovery has found, best first, and lets go of what has not worked. */
  offer(records: readonly PeerRecord[]): void {
    const { self, isLinked, want, clock } = this.#options;
    this.#letGo();
    for (const record of records) {
      const { peer, lastSeen, source } = record;
      const before = this.#wanted.get(peer);
      const isNews = before === undefined || (before.dropped && lastSeen > before.seen);
      if (peer === self || source === 'rendezvous' || isLinked(peer) || !isNews) continue;
      if (clock.now() - lastSeen > FRESH_MS || this.#active() >= MAX_AT_ONCE) continue;
      const way = this.#wayTo(record);
      if (way === undefined) continue;
      this.#wanted.set(peer, { by: way.by, since: clock.now(), seen: lastSeen, dropped: false });
      want({ peer, addresses: way.addresses }, way.by);
    }
  }

  #active(): number {
    const { isLinked } = this.#options;
    return [...this.#wanted].filter(([peer, { dropped }]) => !dropped && !isLinked(peer)).length;
  }

  #letGo(): void {
    const { isLinked, drop, clock } = this.#options;
    for (const [peer, wanted] of this.#wanted) {
      const age = clock.now() - wanted.since;
      if (!wanted.dropped && age > PATIENCE_MS && !isLinked(peer)) {
        wanted.dropped = true;
        drop(peer, wanted.by);
      }
      // by then the record is too old to come up again
      if (wanted.dropped && age > PATIENCE_MS + FRESH_MS) this.#wanted.delete(peer);
    }
  }

  /** The first address that may be dialled, and under whose name. */
  #wayTo({ multiaddrs }: PeerRecord): { readonly addresses: readonly string[]; readonly by: RelayAddress } | undefined {
    const { relays, allows } = this.#options;
    for (const text of multiaddrs) {
      const parsed = parsePeerAddress(text);
      const host = parsed === undefined ? null : hostOf(parsed.address);
      if (parsed === undefined || host === null) continue;
      const relay = relays().find(({ peer }) => peer === parsed.relay);
      // a name of its own: what the relay itself says of the peer is kept apart, and not undone with this
      if (relay !== undefined) return { addresses: [], by: { ...relay, peer: hearsay(relay.peer) } };
      if (parsed.relay === null && allows(host)) {
        return { addresses: [text], by: { peer: hearsay(parsed.peer), address: parsed.address, host } };
      }
    }
    return undefined;
  }
}

const hearsay = (name: PeerId): PeerId => `heard:${name}` as PeerId;

/**
 * Whether a peer is wanted only because somebody has seen it at a relay, which does not list it itself: most likely it
 * has just left.
 * @param by who told of it, as {@link DialDiscoveredOptions.want} was given
 */
export const isHeardOfAtRelay = (peer: PeerId, by: string): boolean =>
  by.startsWith(hearsay('' as PeerId)) && by !== hearsay(peer);
