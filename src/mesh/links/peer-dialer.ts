import type { Connection, Libp2p } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import type { Clock } from '../../lib/clock.ts';
import type { PeerId } from '../../lib/ids.ts';
import type { Log } from '../../lib/log.ts';
import { Slots } from '../../lib/slots.ts';
import { isHeardOfAtRelay } from '../discovery/dial-discovered.ts';
import type { Membership } from '../membership/membership.ts';
import type { RelayAddress } from '../node/relay-address.ts';
import { leadsTo, throughRelay } from '../node/relay-address.ts';
import type { Introduction } from '../rendezvous/messages.ts';
import { disconnect } from '../membership/disconnect.ts';
import { isPutOut } from '../membership/put-out.ts';
import { backoffMs } from './backoff.ts';
import { areNeighbours } from './neighbours.ts';

/** Handshakes at a time: more would only compete for the same signalling circuit and CPU. */
const PARALLEL_DIALS = 6;
/** ICE on one machine or network takes well under a second; NAT traversal a few. */
const WEBRTC_TIMEOUT_MS = 12_000;
const CIRCUIT_TIMEOUT_MS = 8_000;
/** The other side dials first; only if it has not managed by then do we. */
const COURTESY_MS = 4_000;
/** A relayed link works meanwhile; what kept us from a direct one (a slow start, a network change) passes in seconds or not soon. */
const UPGRADE_MIN_MS = 5_000;
const UPGRADE_MAX_MS = 5 * 60 * 1000;
/** A direct link that calls have asked for stays this long after the last of them: as long as a person pauses. */
const DEMAND_MS = 2 * 60 * 1000;
/**
 * A device that was put out is let in again when an owner changes his mind. Both sides see so by trying, and at once when a
 * person asks.
 */
const PUT_OUT_RETRY_MS = 5 * 60 * 1000;
/** How often direct links that nobody needs any more are looked for. */
const TIDY_INTERVAL_MS = 30_000;

/** How one relay lists a peer. */
interface Listing {
  readonly introduction: Introduction;
  readonly relay: RelayAddress;
}

interface Target {
  /** by the relay's peer id; never empty */
  readonly listings: Map<string, Listing>;
  /** the newest of them: the way that is tried */
  listing: Listing;
  /** failures since the last link */
  attempts: number;
  /** tries to replace a relayed link by a direct one */
  upgrades: number;
  timer: ReturnType<typeof setTimeout> | null;
  dialling: boolean;
  /** when a call last asked for this peer; ms */
  demandedAt: number;
  /** why the last try failed, to reach it or to reach it directly */
  failure: string | null;
}

export interface PeerDialerOptions {
  readonly node: Libp2p;
  readonly membership: Membership;
  /** whether this peer has circuits and WebRTC: without, it dials addresses only */
  readonly dialsThroughRelay: boolean;
  /** false for a peer that tabs dial at its address: it waits for them */
  readonly dialsTabs: boolean;
  /** members say that they let this device in no more */
  readonly refused?: () => boolean;
  readonly self: PeerId;
  /** direct links to keep without being asked; {@link DIRECT_NEIGHBOURS} when absent */
  readonly neighbours?: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly onChange: () => void;
}

/** Keeps a proven link to every peer that a relay has introduced, for as long as the relay lists it. */
export class PeerDialer {
  readonly #options: PeerDialerOptions;
  readonly #targets = new Map<PeerId, Target>();
  readonly #slots = new Slots(PARALLEL_DIALS);
  readonly #stop = new AbortController();
  readonly #tidying: ReturnType<typeof setInterval>;

  constructor(options: PeerDialerOptions) {
    this.#options = options;
    this.#tidying = setInterval(() => {
      this.#tidy();
    }, TIDY_INTERVAL_MS);
    options.membership.subscribe(({ type, link }) => {
      const target = this.#targets.get(link.member.peer);
      if (target === undefined) return;
      if (type === 'opened') {
        target.attempts = 0;
        if (link.direct) target.failure = null;
      }
      // both sides see the loss; the one that dialled goes first
      else if (options.refused?.() === true) this.#putOut(target);
      else this.#schedule(target, link.connection.direction === 'outbound' ? 0 : COURTESY_MS);
    });
  }

  /** peers that are wanted and not linked yet, without those whose relay does not list them: it would, were they there */
  connecting(): readonly PeerId[] {
    const { membership } = this.#options;
    return [...this.#targets]
      .filter(([peer, { listings }]) => [...listings.keys()].some((by) => !isHeardOfAtRelay(peer, by)))
      .map(([peer]) => peer)
      .filter((peer) => membership.linkTo(peer) === undefined);
  }

  /** Why the last try failed, to reach a peer or to reach it directly; null when none has since there was a direct link. */
  failure(peer: PeerId): string | null {
    return this.#targets.get(peer)?.failure ?? null;
  }

  /** Peers that were there before us: ours to dial. */
  introduced(introductions: readonly Introduction[], relay: RelayAddress): void {
    for (const introduction of introductions) this.#schedule(this.#want(introduction, relay), 0);
  }

  /** A peer that came after us: it dials us. */
  joined(introduction: Introduction, relay: RelayAddress): void {
    this.#schedule(this.#want(introduction, relay), introduction.addresses.length > 0 ? 0 : COURTESY_MS);
  }

  /** The relay no longer lists the peer; an open link stays, and so does what another relay says. */
  left(peer: PeerId, relay: RelayAddress): void {
    const target = this.#targets.get(peer);
    if (target?.listings.delete(relay.peer) !== true) return;
    const other = [...target.listings.values()].at(-1);
    if (other !== undefined) {
      target.listing = other;
      return;
    }
    if (target.timer !== null) clearTimeout(target.timer);
    this.#targets.delete(peer);
    this.#options.onChange();
  }

  /** Wants no link to the peer any more, whoever lists it; the next introduction changes that. */
  forget(peer: PeerId): void {
    const target = this.#targets.get(peer);
    if (target === undefined) return;
    if (target.timer !== null) clearTimeout(target.timer);
    this.#targets.delete(peer);
    this.#options.onChange();
  }

  /** The relay is gone: who it listed cannot be reached through it, and it will introduce those that are there anew. */
  relayGone(relay: RelayAddress): void {
    for (const peer of [...this.#targets.keys()]) this.left(peer, relay);
  }

  /** Tries those that could not be reached now instead of after their backoff: the network has changed. */
  retryNow(): void {
    for (const target of this.#targets.values()) if (target.attempts > 0 && !target.dialling) this.#schedule(target, 0);
  }

  /** A call to the peer is made: worth a direct link, for as long as calls go on. */
  demand(peer: PeerId): void {
    const target = this.#targets.get(peer);
    if (target === undefined) return;
    const before = target.demandedAt;
    target.demandedAt = this.#options.clock.now();
    if (this.#options.membership.linkTo(peer)?.direct === true || target.demandedAt - before < DEMAND_MS) return;
    target.upgrades = 0;
    if (!this.#hasNeighbour(target)) this.#schedule(target, 0);
  }

  stop(): void {
    this.#stop.abort();
    clearInterval(this.#tidying);
    for (const target of this.#targets.values()) if (target.timer !== null) clearTimeout(target.timer);
    this.#targets.clear();
  }

  #want(introduction: Introduction, relay: RelayAddress): Target {
    const listing: Listing = { introduction, relay };
    const known = this.#targets.get(introduction.peer);
    if (known !== undefined) {
      known.listing = listing;
      // last in the map is newest
      known.listings.delete(relay.peer);
      known.listings.set(relay.peer, listing);
      return known;
    }
    const listings = new Map([[relay.peer, listing]]);
    const target: Target = {
      listings,
      listing,
      attempts: 0,
      upgrades: 0,
      timer: null,
      dialling: false,
      demandedAt: 0,
      failure: null,
    };
    this.#targets.set(introduction.peer, target);
    this.#options.onChange();
    return target;
  }

  /** Both sides answer alike, so neither closes what the other wants. */
  #hasNeighbour({ listing }: Target): boolean {
    const { peer, addresses } = listing.introduction;
    if (addresses.length > 0) return true;
    const tabs = [...this.#targets].flatMap(([other, { listing: theirs }]) =>
      theirs.introduction.addresses.length === 0 ? [other] : [],
    );
    return areNeighbours(this.#options.self, peer, tabs, this.#options.neighbours);
  }

  #wantsDirect(target: Target): boolean {
    return this.#hasNeighbour(target) || this.#options.clock.now() - target.demandedAt < DEMAND_MS;
  }

  /** Lets go of direct links that the room's growth or a past call has left over; a relayed one takes their place. */
  #tidy(): void {
    const { membership, log } = this.#options;
    for (const [peer, target] of this.#targets) {
      const link = membership.linkTo(peer);
      // the side that dialled lets go: the other cannot know whether it still has calls for it
      if (link?.connection.direction !== 'outbound') continue;
      if (!link.direct) {
        // the ring has moved since
        if (target.timer === null && !target.dialling && this.#wantsDirect(target)) this.#keepUpgrading(target);
        continue;
      }
      if (this.#wantsDirect(target)) continue;
      log.info('direct link let go', { peer });
      void disconnect(link.connection, new Error('idle'));
    }
  }

  #putOut(target: Target): void {
    // so that `retryNow` takes it for one that could not be reached
    target.attempts = Math.max(target.attempts, 1);
    this.#schedule(target, PUT_OUT_RETRY_MS);
  }

  #schedule(target: Target, delayMs: number): void {
    if (target.timer !== null) clearTimeout(target.timer);
    target.timer = setTimeout(() => {
      target.timer = null;
      void this.#dial(target);
    }, delayMs);
  }

  async #dial(target: Target): Promise<void> {
    const { membership, dialsTabs, log } = this.#options;
    const { peer, addresses } = target.listing.introduction;
    const current = () => this.#targets.get(peer) === target && !this.#stop.signal.aborted;
    const link = membership.linkTo(peer);
    if (target.dialling || !current() || link?.direct === true) return;
    if (link !== undefined && !this.#wantsDirect(target)) return;
    if (addresses.length === 0 && !dialsTabs) return;
    target.dialling = true;
    try {
      const relayed = link !== undefined;
      await this.#slots.run(() => (relayed ? this.#upgrade(target) : this.#connect(target)), this.#stop.signal);
    } catch (error) {
      target.failure = (error as Error).message;
      if (!current() || membership.linkTo(peer) !== undefined) return;
      target.attempts++;
      useNextListing(target);
      log.info('could not reach a peer', { peer, attempt: target.attempts, reason: (error as Error).message });
      if (isPutOut(error) || this.#options.refused?.() === true) this.#putOut(target);
      else this.#schedule(target, backoffMs(target.attempts));
    } finally {
      target.dialling = false;
      if (current()) this.#keepUpgrading(target);
      this.#options.onChange();
    }
  }

  /** The side that dialled a relayed link goes on looking for a direct one. */
  #keepUpgrading(target: Target): void {
    const link = this.#options.membership.linkTo(target.listing.introduction.peer);
    if (link === undefined || !this.#wantsDirect(target)) return;
    if (link.direct) target.upgrades = 0;
    else if (link.connection.direction === 'outbound') {
      this.#schedule(target, Math.min(UPGRADE_MAX_MS, UPGRADE_MIN_MS * 2 ** target.upgrades));
      target.upgrades++;
    }
  }

  async #upgrade(target: Target): Promise<void> {
    const { node, membership } = this.#options;
    const { relay, introduction } = target.listing;
    const webrtc = throughRelay(relay, introduction.peer, true);
    const signal = this.#within(WEBRTC_TIMEOUT_MS);
    // without force libp2p answers with the relayed connection that is there
    await membership.proven(await node.dial(webrtc, { signal, force: true }));
  }

  async #connect(target: Target): Promise<void> {
    const { node, membership, dialsThroughRelay, log } = this.#options;
    const { introduction, relay } = target.listing;
    const { peer, addresses } = introduction;
    if (addresses.length === 0) {
      await this.#connectThroughRelay(target);
      return;
    }
    const direct = addresses.map((address) => multiaddr(address));
    let connection: Connection;
    try {
      connection = await node.dial(direct, { signal: this.#within(CIRCUIT_TIMEOUT_MS) });
    } catch (error) {
      if (!dialsThroughRelay || leadsTo(relay, peer)) throw error;
      // its address leads nowhere from here; behind a NAT, it has a place at the relay as a tab has
      await this.#connectThroughRelay(target).catch((thrown: unknown) => {
        log.info('no way through the relay', { peer, reason: (thrown as Error).message });
        throw error;
      });
      return;
    }
    await membership.proven(connection);
  }

  async #connectThroughRelay(target: Target): Promise<void> {
    const { node, membership, log } = this.#options;
    const { relay, introduction } = target.listing;
    const { peer } = introduction;
    if (this.#wantsDirect(target)) {
      try {
        const webrtc = throughRelay(relay, peer, true);
        await membership.proven(await node.dial(webrtc, { signal: this.#within(WEBRTC_TIMEOUT_MS) }));
        return;
      } catch (error) {
        // a relayed link is slower and bounded, but it is a link
        target.failure = (error as Error).message;
        log.info('no direct way to a peer', { peer, reason: (error as Error).message });
      }
    }
    const circuit = throughRelay(relay, peer, false);
    await membership.proven(await node.dial(circuit, { signal: this.#within(CIRCUIT_TIMEOUT_MS) }));
  }

  #within(ms: number): AbortSignal {
    return AbortSignal.any([this.#stop.signal, AbortSignal.timeout(ms)]);
  }
}

/** A tab holds a reservation at one relay at least, not at each that lists it: the next try goes through another. */
function useNextListing(target: Target): void {
  const listings = [...target.listings.values()];
  target.listing = listings[(listings.indexOf(target.listing) + 1) % listings.length] ?? target.listing;
}
