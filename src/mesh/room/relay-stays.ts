import { peerIdFromString } from '@libp2p/peer-id';
import type { RelayStatus } from '../../contracts/mesh.ts';
import type { Clock } from '../../lib/clock.ts';
import type { PeerId } from '../../lib/ids.ts';
import type { Log } from '../../lib/log.ts';
import type { PeerDialer } from '../links/peer-dialer.ts';
import type { RelayAccess, RelayLinkState, RelayWays } from '../links/relay-link.ts';
import { RelayLink } from '../links/relay-link.ts';
import type { RelayAddress } from '../node/relay-address.ts';
import type { RoomNode } from '../node/room-node.ts';
import type { RendezvousEvent } from '../rendezvous/messages.ts';
import { PastTopics } from '../roster/past-topics.ts';
import type { Members } from './members.ts';
import type { MeshWatch } from './mesh-watch.ts';

export interface RelayStaysOptions {
  readonly node: RoomNode;
  /** a relay may be there with several addresses */
  readonly relays: readonly RelayAddress[];
  readonly access: RelayAccess;
  /** rendezvous topic of the room, as of now */
  readonly topic: () => string;
  /** those of its earlier epochs */
  readonly pastTopics: () => readonly string[];
  readonly addresses: () => readonly string[];
  /** told whom the relays introduce */
  readonly dialer: Pick<PeerDialer, 'introduced' | 'joined' | 'left' | 'relayGone' | 'retryNow'>;
  /** told who may be gone */
  readonly members: Pick<Members, 'suspect'>;
  readonly watch: MeshWatch | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly onChange: () => void;
}

/** A peer's stays at the relays of its room: which ones, how it stands to each, and whom they introduce. */
export class RelayStays {
  readonly #options: RelayStaysOptions;
  readonly #pastTopics: PastTopics;
  readonly #states = new Map<RelayLink, RelayLinkState>();
  #ways: ReadonlyMap<PeerId, RelayWays>;
  #links: readonly RelayLink[];
  #started = false;
  #stopped = false;
  /** settles when the last change of the relays has been made */
  #changed: Promise<unknown> = Promise.resolve();

  constructor(options: RelayStaysOptions) {
    this.#options = options;
    const { node, pastTopics, addresses, log } = options;
    this.#pastTopics = new PastTopics({ node: node.libp2p, topics: pastTopics, addresses, log });
    this.#ways = waysOf(options.relays);
    this.#links = this.#makeLinks();
  }

  start(): void {
    this.#started = true;
    this.#startLinks();
  }

  /** The relays that this peer uses, as configured, and how it stands to each. */
  status(): readonly RelayStatus[] {
    return this.#links.map((link) => {
      const { peer, host } = link.relay;
      const state = this.#states.get(link) ?? { status: 'connecting' };
      const { message, retryAt } = state.status === 'offline' ? state : { message: null, retryAt: null };
      return {
        peer,
        host,
        state: state.status,
        wantsKey: state.status === 'offline' && state.refused,
        message,
        retryAt,
      };
    });
  }

  /** The relays are these now: goes to those that are new, leaves those that are gone, takes the others' addresses over. */
  use(relays: readonly RelayAddress[]): Promise<void> {
    return this.#inTurn(async () => {
      this.#ways = waysOf(relays);
      const before = this.#links;
      const gone = before.filter((link) => !this.#ways.has(link.relay.peer));
      for (const link of gone) this.#leave(link);
      this.#links = [...this.#ways].map(([peer, ways]) => {
        const known = before.find((link) => link.relay.peer === peer);
        if (known === undefined) return this.#makeLink(ways);
        known.use(ways);
        // it may be at another address, or its key may be known now
        if (this.#states.get(known)?.status === 'offline') known.retryNow();
        return known;
      });
      this.#startLinks();
      // one that could not be reached may be behind a relay that is known only now
      this.#options.dialer.retryNow();
      await Promise.all(gone.map((link) => link.stop()));
    });
  }

  /** The room's topic has changed: looks for members under the new one, and stays listed for who was away. */
  rejoin(): Promise<void> {
    return this.#inTurn(async () => {
      const before = this.#links;
      for (const link of before) this.#leave(link);
      this.#links = this.#makeLinks();
      await Promise.all(before.map((link) => link.stop()));
      this.#startLinks();
    });
  }

  /** Tries offline relays now instead of after their backoff, and sees whether the others are still there. */
  retryNow(): void {
    for (const link of this.#links) link.retryNow();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#pastTopics.stop();
    await Promise.all(this.#links.map((link) => link.stop()));
    await this.#changed;
  }

  /** Makes a change after whatever is being changed now: it waits for links to end, and begins others then. */
  #inTurn(change: () => Promise<void>): Promise<void> {
    const made = this.#changed.then(async () => {
      if (!this.#stopped) await change();
    });
    // who asked for the change is told what went wrong; the next is made all the same
    this.#changed = made.catch(() => undefined);
    return made;
  }

  #startLinks(): void {
    if (this.#started && !this.#stopped) for (const link of this.#links) link.start();
  }

  #makeLinks(): readonly RelayLink[] {
    return [...this.#ways.values()].map((ways) => this.#makeLink(ways));
  }

  #leave(link: RelayLink): void {
    this.#lost(link.relay);
    this.#states.delete(link);
  }

  #makeLink(ways: RelayWays): RelayLink {
    const { node, access, topic, addresses, clock, log } = this.#options;
    const { ping, reservations } = node.libp2p.services;
    const [relay] = ways;
    let tryingSince = clock.now();
    const link: RelayLink = new RelayLink({
      node: node.libp2p,
      ways,
      reserve: (peer, signal) => reservations.hold(peerIdFromString(peer), signal),
      ping: (peer, signal) => ping.ping(peerIdFromString(peer), { signal }),
      topic: topic(),
      access,
      addresses,
      clock,
      log,
      onEvent: (event) => {
        // the answer to a stay that has been ended
        if (this.#links.includes(link)) this.#heard(event, relay);
      },
      onState: (state) => {
        if (!this.#links.includes(link)) return;
        if (state.status === 'connecting') tryingSince = clock.now();
        this.#stands(link, state, clock.now() - tryingSince);
      },
    });
    return link;
  }

  #heard(event: RendezvousEvent, relay: RelayAddress): void {
    const { dialer, members, watch } = this.#options;
    switch (event.type) {
      case 'peers':
        for (const peer of event.peers) watch?.introduced(peer, relay);
        dialer.introduced(event.peers, relay);
        return;
      case 'joined':
        watch?.introduced(event.peer, relay);
        dialer.joined(event.peer, relay);
        return;
      case 'left':
        watch?.left(event.peer, relay);
        dialer.left(event.peer, relay);
        void members.suspect(event.peer);
    }
  }

  /** @param triedMs how long the try took that has ended so */
  #stands(link: RelayLink, state: RelayLinkState, triedMs: number): void {
    const { relay } = link;
    if (state.status !== 'connecting' && this.#states.get(link)?.status === 'connecting') {
      this.#options.watch?.relayTried(relay, triedMs, state.status === 'offline' ? state.message : null);
    }
    if (state.status === 'joined') void this.#pastTopics.joined(relay.peer);
    if (state.status === 'offline') this.#lost(relay);
    this.#states.set(link, state);
    this.#options.onChange();
  }

  #lost(relay: RelayAddress): void {
    this.#options.dialer.relayGone(relay);
    this.#options.watch?.relayGone(relay);
    this.#pastTopics.left(relay.peer);
  }
}

/** A relay may be there with several addresses. */
function waysOf(relays: readonly RelayAddress[]): ReadonlyMap<PeerId, RelayWays> {
  const byPeer = Map.groupBy(relays, ({ peer }) => peer);
  return new Map(
    [...byPeer].flatMap(([peer, [best, ...others]]) => (best === undefined ? [] : [[peer, [best, ...others]]])),
  );
}
