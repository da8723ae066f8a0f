import type { IceServer } from '../../contracts/relay.ts';
import { MAX_ICE_SERVERS } from '../../contracts/relay.ts';
import type { PeerId } from '../../lib/ids.ts';
import type { AccessGrant } from './present.ts';

/** What a person has set for this device. */
export interface OwnIceServers {
  readonly stun: readonly string[];
  readonly turn: readonly IceServer[];
}

/** The STUN and TURN servers that a peer uses: a person's own first, then those that its relays hand out. */
export class IceServers {
  #own: readonly IceServer[] = [];
  readonly #now: () => number;
  readonly #granted = new Map<PeerId, { readonly ice: readonly IceServer[]; readonly until: number }>();

  /** @param now ms since the epoch */
  constructor(own: OwnIceServers, now: () => number) {
    this.#now = now;
    this.use(own);
  }

  /** Takes what a person has set, in place of what was set before; connections that stand are not touched. */
  use(own: OwnIceServers): void {
    // a TURN url without credentials makes RTCPeerConnection throw
    const stun = own.stun.filter((url) => /^stuns?:/i.test(url));
    this.#own = [...(stun.length === 0 ? [] : [{ urls: stun }]), ...own.turn];
  }

  /** Takes what a relay hands out, in place of what it has handed out before. */
  granted(relay: PeerId, { ice, iceTtlMs }: AccessGrant): void {
    this.#granted.set(relay, { ice, until: iceTtlMs === null ? Infinity : this.#now() + iceTtlMs });
  }

  /** The servers that are good now, for an `RTCConfiguration`. */
  list(): RTCIceServer[] {
    const granted = [...this.#granted.values()].filter(({ until }) => until > this.#now()).flatMap(({ ice }) => ice);
    return [...this.#own, ...granted]
      .slice(0, MAX_ICE_SERVERS)
      .map((server) => ({ ...server, urls: [...server.urls] }));
  }
}
