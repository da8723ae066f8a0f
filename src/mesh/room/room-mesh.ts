import { peerIdFromString } from '@libp2p/peer-id';
import type { Battery, Connection, MeshPeer, PeerLink, RelayStatus } from '../../contracts/mesh.ts';
import type { CallCredentials, CallOptions, Place, Principal, ToolMetadata } from '../../contracts/tools.ts';
import type { Clock } from '../../lib/clock.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { DeviceId, PeerId } from '../../lib/ids.ts';
import { createListeners } from '../../lib/listeners.ts';
import type { Log } from '../../lib/log.ts';
import { TRACEPARENT } from '../../lib/traceparent.ts';
import { PeerDialer } from '../links/peer-dialer.ts';
import type { RelayLinkState } from '../links/relay-link.ts';
import type { RelayAccess } from '../links/relay-link.ts';
import type { RelayWays } from '../links/relay-link.ts';
import { RelayLink } from '../links/relay-link.ts';
import type { RelayAddress } from '../node/relay-address.ts';
import { hostOf } from '../node/relay-address.ts';
import type { RoomNode } from '../node/room-node.ts';
import type { Presence } from '../replica/presence.ts';
import type { Introduction } from '../rendezvous/messages.ts';
import type { PresenceState } from '../replica/presence-state.ts';
import type { OpenSyncSession } from '../replica/sync.ts';
import { clientMeta, fromMcpResult, META, REQUEST_META } from '../rpc/mcp-wire.ts';
import { PastTopics } from '../roster/past-topics.ts';
import { RpcSessions } from '../rpc/sessions.ts';
import type { RpcSessionsOptions } from '../rpc/sessions.ts';
import type { Principals } from '../principals/principals.ts';
import type { RequestOptions } from '../rpc/session.ts';
import { Members } from './members.ts';
import { SyncStreams } from './sync-streams.ts';

export interface RoomMeshOptions {
  readonly node: RoomNode;
  readonly self: { readonly peer: PeerId; readonly device: DeviceId; readonly kind: 'tab' | 'relay' };
  /** a relay may be there with several addresses */
  readonly relays: readonly RelayAddress[];
  readonly access: RelayAccess;
  /** rendezvous topic of the room, as of now */
  readonly topic: () => string;
  /** those of its earlier epochs */
  readonly pastTopics: () => readonly string[];
  /** ways to dial this peer without a circuit; none for a tab */
  readonly addresses: () => readonly string[];
  readonly serve: RpcSessionsOptions['serve'];
  /** says on whose behalf calls are made */
  readonly principals: Pick<Principals, 'chainFor' | 'calling'>;
  readonly replica: OpenSyncSession;
  readonly presence: Presence;
  readonly visible: () => boolean;
  /** why members let this device in no more, in their words; null while none has said so */
  readonly refusal: () => string | null;
  readonly watch?: MeshWatch;
  readonly clock: Clock;
  readonly log: Log;
}

/** Told of what the mesh learns of other peers; discovery and its measurements live of it. */
export interface MeshWatch {
  introduced(introduction: Introduction, by: RelayAddress): void;
  left(peer: PeerId, by: RelayAddress): void;
  relayGone(relay: RelayAddress): void;
  /** A try to get into a relay has ended. @param error why it failed; null: it worked */
  relayTried(relay: RelayAddress, durationMs: number, error: string | null): void;
  /** a ping's round trip in ms; null when it was not answered */
  probed(peer: PeerId, latencyMs: number | null): void;
  transferred(peer: PeerId, bytes: number): void;
}

/** Presence that changes often (call counters) is sent at most this often. */
const PRESENCE_INTERVAL_MS = 500;

/** Another peer as the router needs it; the shape of `RemotePlaces` in `src/tools`. */
interface RemotePeer {
  readonly place: Place;
  readonly tools: readonly ToolMetadata[];
  readonly direct: boolean;
  readonly latencyMs: number | null;
  readonly visible: boolean;
  readonly load: number | null;
  readonly battery: Battery | null;
}

/**
 * A peer's life in its room: found through the relays, linked to every member, in sync with them, callable and able to
 * call. It goes on without a relay; links that stand need none.
 */
export class RoomMesh {
  readonly #options: RoomMeshOptions;
  readonly #rpc: RpcSessions;
  readonly #members: Members;
  readonly #sync: SyncStreams;
  readonly #dialer: PeerDialer;
  readonly #pastTopics: PastTopics;
  #ways: ReadonlyMap<PeerId, RelayWays>;
  #started = false;
  #stopped = false;
  /** settles when the last change of the relays has been made */
  #changed: Promise<unknown> = Promise.resolve();
  #relays: readonly RelayLink[];
  readonly #relayStates = new Map<RelayLink, RelayLinkState>();
  readonly #listeners = createListeners();
  readonly #unsubscribe: (() => void)[] = [];
  readonly #startedAt: number;
  #local: PresenceState | undefined;
  #presenceTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(options: RoomMeshOptions) {
    this.#options = options;
    const { node, clock, log, presence, visible, watch } = options;
    const { membership } = node.libp2p.services;
    this.#startedAt = clock.now();
    this.#rpc = new RpcSessions({
      node: node.libp2p,
      membership,
      serve: options.serve,
      onBytes: (peer, bytes) => watch?.transferred(peer, bytes),
      clock,
    });
    const isHidden = (peer: PeerId) => presence.states().get(peer)?.visible === false;
    this.#members = new Members({
      membership,
      rpc: this.#rpc,
      clock,
      visible,
      isHidden,
      onProbe: (peer, latencyMs) => watch?.probed(peer, latencyMs),
      log,
    });
    this.#sync = new SyncStreams({ node: node.libp2p, membership, replica: options.replica, presence, log });
    this.#dialer = new PeerDialer({
      node: node.libp2p,
      membership,
      dialsThroughRelay: options.self.kind === 'tab',
      refused: () => options.refusal() !== null,
      self: options.self.peer,
      clock,
      log,
      onChange: () => {
        this.#listeners.notify();
      },
    });
    this.#pastTopics = new PastTopics({
      node: node.libp2p,
      topics: options.pastTopics,
      addresses: options.addresses,
      log,
    });
    this.#ways = waysOf(options.relays);
    this.#relays = this.#relayLinks();
    this.#unsubscribe.push(
      this.#members.subscribe(() => {
        this.#listeners.notify();
      }),
      presence.subscribe(() => {
        for (const [peer, state] of presence.states()) void this.#members.offers(peer, state.tools);
        this.#listeners.notify();
      }),
      membership.subscribe(({ type, link }) => {
        if (type === 'closed' && membership.linkTo(link.member.peer) === undefined) presence.remove(link.member.peer);
      }),
    );
  }

  /** Begins to serve, then to look for members. */
  async start(): Promise<void> {
    await Promise.all([this.#rpc.start(), this.#sync.start()]);
    this.#started = true;
    this.#startRelays();
  }

  subscribe(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  /** this peer first, then linked ones, then those being connected to */
  peers(): readonly MeshPeer[] {
    const { self } = this.#options;
    const linked = this.#members.peers().map((peer) => this.#meshPeer(peer));
    const known = new Set<PeerId>([self.peer, ...this.#members.peers()]);
    return [
      {
        ...profile(this.#local),
        peer: self.peer,
        device: self.device,
        link: 'self',
        latencyMs: 0,
        since: this.#startedAt,
      },
      ...linked.filter((peer) => peer !== undefined),
      ...this.#dialer
        .connecting()
        .filter((peer) => !known.has(peer))
        .map((peer) => this.#strangerYet(peer)),
    ];
  }

  connection(): Connection {
    const linked = this.peers().filter((peer) => peer.link === 'direct' || peer.link === 'relayed');
    if (linked.some((peer) => peer.link === 'relayed')) return { state: 'relayed' };
    if (linked.length > 0) return { state: 'direct' };
    const states = [...this.#relayStates.values()];
    if (states.some((state) => state.status === 'joined')) {
      const refusal = this.#options.refusal();
      return refusal === null ? { state: 'alone' } : { state: 'refused', message: refusal };
    }
    const offline = this.relays().find(({ state }) => state === 'offline');
    if (offline !== undefined) {
      return { state: 'offline', message: `${offline.host}: ${offline.message ?? ''}`, retryAt: offline.retryAt };
    }
    return this.#relays.length === 0
      ? { state: 'offline', message: 'no relay is configured', retryAt: null }
      : { state: 'starting', message: 'connecting to the relay' };
  }

  /** The relays that this peer uses, as configured, and how it stands to each. */
  relays(): readonly RelayStatus[] {
    return this.#relays.map((link) => {
      const { peer, host } = link.relay;
      const state = this.#relayStates.get(link) ?? { status: 'connecting' };
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

  /**
   * The room's relays are these now: goes to those that are new, leaves those that are gone, tries the others' addresses
   * at the next occasion.
   */
  useRelays(relays: readonly RelayAddress[]): Promise<void> {
    return this.#inTurn(async () => {
      this.#ways = waysOf(relays);
      const before = this.#relays;
      const gone = before.filter((link) => !this.#ways.has(link.relay.peer));
      for (const link of gone) this.#leave(link);
      this.#relays = [...this.#ways].map(([peer, ways]) => {
        const known = before.find((link) => link.relay.peer === peer);
        if (known === undefined) return this.#relayLink(ways);
        known.use(ways);
        // it may be at another address, or its key may be known now
        if (this.#relayStates.get(known)?.status === 'offline') known.retryNow();
        return known;
      });
      this.#startRelays();
      // one that could not be reached may be behind a relay that is known only now
      this.#dialer.retryNow();
      await Promise.all(gone.map((link) => link.stop()));
    });
  }

  /** The room's topic has changed: looks for members under the new one, and stays listed for who was away. */
  rejoin(): Promise<void> {
    return this.#inTurn(async () => {
      const before = this.#relays;
      for (const link of before) this.#leave(link);
      this.#relays = this.#relayLinks();
      await Promise.all(before.map((link) => link.stop()));
      this.#startRelays();
    });
  }

  /** The links of this peer, for others to see. Rounded, so that they are told anew only when something has changed. */
  links(): readonly PeerLink[] {
    return this.#members.peers().flatMap((peer) => {
      const seen = this.#meshPeer(peer);
      if (seen === undefined) return [];
      const latencyMs = seen.latencyMs === null ? null : Math.round(seen.latencyMs);
      return [{ peer, direct: seen.link === 'direct', latencyMs }];
    });
  }

  /** Has the dialer keep a link to a peer that was found otherwise. @param by stands for who told of it */
  want(introduction: Introduction, by: RelayAddress): void {
    this.#dialer.introduced([introduction], by);
  }

  /** Takes back {@link want}. */
  unwant(peer: PeerId, by: RelayAddress): void {
    this.#dialer.left(peer, by);
  }

  /** Keeps no link to the peer any more; one that is open stays, and who comes by itself is let in. */
  letGo(peer: PeerId): void {
    this.#dialer.forget(peer);
  }

  /** Why the last try failed, to reach a peer or to reach it directly; null when none has. */
  dialFailure(peer: PeerId): string | null {
    return this.#dialer.failure(peer);
  }

  /** Tries offline relays and peers now instead of after their backoff, and sees whether the others are still there. */
  retryRelays(): void {
    for (const relay of this.#relays) relay.retryNow();
    this.#dialer.retryNow();
  }

  /** Members that are relays of the invite or the page, with the `host:port` at which each is linked. */
  relayMembers(): readonly { readonly peer: PeerId; readonly host: string | null }[] {
    const { membership } = this.#options.node.libp2p.services;
    return this.#members.peers().flatMap((peer) => {
      const link = membership.linkTo(peer);
      return link?.member.kind === 'relay' ? [{ peer, host: hostOf(link.connection.remoteAddr) }] : [];
    });
  }

  /** members that can be called */
  list(): readonly RemotePeer[] {
    return this.#members.peers().flatMap((peer) => {
      const facts = this.#members.facts(peer);
      const seen = this.#meshPeer(peer);
      if (facts === undefined || seen === undefined) return [];
      // a relay that our invite does not name is none for us, but no tab either: work goes to tabs first
      const says = this.#options.node.libp2p.services.membership.linkTo(peer)?.member.saysRelay === true;
      const place: Place = {
        kind: says || seen.kind === 'relay' ? 'relay' : 'peer',
        peer,
        device: seen.device,
        name: seen.name,
      };
      const { latencyMs, visible, load, battery } = seen;
      return [{ place, tools: facts.tools, direct: seen.link === 'direct', latencyMs, visible, load, battery }];
    });
  }

  /**
   * Calls a tool at a member, for `principal`.
   * @throws the tool's error; `peer_unreachable` with `details.sent` false when it never left
   */
  async call(
    peer: PeerId,
    tool: string,
    args: unknown,
    principal: Principal,
    options: CallOptions & { readonly timeoutMs: number; readonly credentials?: CallCredentials },
  ): Promise<unknown> {
    const { onProgress, credentials = {} } = options;
    this.#dialer.demand(peer);
    const meta: Record<string, unknown> = {
      ...REQUEST_META,
      [META.structuredOnly]: true,
      [META.timeoutMs]: Math.round(options.timeoutMs),
    };
    if (credentials.approval !== undefined) meta[META.approval] = credentials.approval;
    if (credentials.grants !== undefined) meta[META.grants] = credentials.grants;
    if (options.traceparent !== undefined) meta[TRACEPARENT] = options.traceparent;
    const result = await this.#askFor(principal, peer, 'tools/call', { name: tool, arguments: args }, meta, {
      timeoutMs: options.timeoutMs,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ...(onProgress === undefined ? {} : { onProgress: (params) => onProgress(progressOf(params)) }),
    });
    return fromMcpResult(result);
  }

  /**
   * One request of MCP to a member, for `principal`, with the `_meta` of its client. Keys of ours in it are not the client's
   * to set.
   * @throws what the member answers; `peer_unreachable`
   */
  forward(
    peer: PeerId,
    method: string,
    params: Readonly<Record<string, unknown>>,
    principal: Principal,
    options: RequestOptions = {},
  ): Promise<unknown> {
    this.#dialer.demand(peer);
    return this.#askFor(principal, peer, method, params, { ...REQUEST_META, ...clientMeta(params['_meta']) }, options);
  }

  /** A request that says on whose behalf it is made. */
  async #askFor(
    principal: Principal,
    peer: PeerId,
    method: string,
    params: Readonly<Record<string, unknown>>,
    meta: Record<string, unknown>,
    options: RequestOptions,
  ): Promise<unknown> {
    const { principals, node } = this.#options;
    const deviceOf = () => node.libp2p.services.membership.linkTo(peer)?.member.device;
    const ended = principals.calling(peer);
    try {
      // without a link the request below says so, and nothing leaves
      const named = principals.chainFor(principal, deviceOf);
      if (named !== undefined) meta[META.principal] = typeof named === 'string' ? named : await named;
      return await this.#rpc.request(peer, method, { ...params, _meta: meta }, options);
    } finally {
      ended();
    }
  }

  /** One request of another method, e.g. `tabmesh/ticket` to a relay's peer. */
  request(
    peer: PeerId,
    method: string,
    params: Record<string, unknown>,
    options: RequestOptions = {},
  ): Promise<unknown> {
    return this.#rpc.request(peer, method, { ...params, _meta: REQUEST_META }, options);
  }

  /** What this peer says of itself changed: shown here at once, told to everybody soon. */
  setPresence(state: PresenceState): void {
    const first = this.#local === undefined;
    this.#local = state;
    this.#listeners.notify();
    if (first) {
      this.#options.presence.setLocal(state);
      return;
    }
    this.#presenceTimer ??= setTimeout(() => {
      this.#presenceTimer = null;
      if (this.#local !== undefined) this.#options.presence.setLocal(this.#local);
    }, PRESENCE_INTERVAL_MS);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#presenceTimer !== null) clearTimeout(this.#presenceTimer);
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#options.presence.close();
    this.#dialer.stop();
    this.#members.stop();
    this.#pastTopics.stop();
    await Promise.all(this.#relays.map((relay) => relay.stop()));
    await this.#changed;
    await this.#options.node.stop();
  }

  /** Changes the relays after whatever changes them now: a change waits for links to end, and begins others then. */
  #inTurn(change: () => Promise<void>): Promise<void> {
    const made = this.#changed.then(async () => {
      if (!this.#stopped) await change();
    });
    // who asked for the change is told what went wrong; the next is made all the same
    this.#changed = made.catch(() => undefined);
    return made;
  }

  #startRelays(): void {
    if (this.#started && !this.#stopped) for (const relay of this.#relays) relay.start();
  }

  #relayLinks(): readonly RelayLink[] {
    return [...this.#ways.values()].map((ways) => this.#relayLink(ways));
  }

  #leave(link: RelayLink): void {
    this.#dialer.relayGone(link.relay);
    this.#options.watch?.relayGone(link.relay);
    this.#pastTopics.left(link.relay.peer);
    this.#relayStates.delete(link);
  }

  #relayLink(ways: RelayWays): RelayLink {
    const { node, access, topic, addresses, watch, clock, log } = this.#options;
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
        if (!this.#relays.includes(link)) return;
        if (event.type === 'peers') {
          for (const peer of event.peers) watch?.introduced(peer, relay);
          this.#dialer.introduced(event.peers, relay);
        } else if (event.type === 'joined') {
          watch?.introduced(event.peer, relay);
          this.#dialer.joined(event.peer, relay);
        } else {
          watch?.left(event.peer, relay);
          this.#dialer.left(event.peer, relay);
          void this.#members.suspect(event.peer);
        }
      },
      onState: (state) => {
        if (!this.#relays.includes(link)) return;
        if (state.status === 'connecting') tryingSince = clock.now();
        else if (this.#relayStates.get(link)?.status === 'connecting') {
          watch?.relayTried(relay, clock.now() - tryingSince, state.status === 'offline' ? state.message : null);
        }
        if (state.status === 'joined') void this.#pastTopics.joined(relay.peer);
        if (state.status === 'offline') {
          this.#dialer.relayGone(relay);
          watch?.relayGone(relay);
          this.#pastTopics.left(relay.peer);
        }
        this.#relayStates.set(link, state);
        this.#listeners.notify();
      },
    });
    return link;
  }

  #meshPeer(peer: PeerId): MeshPeer | undefined {
    const link = this.#options.node.libp2p.services.membership.linkTo(peer);
    const facts = this.#members.facts(peer);
    if (link === undefined || facts === undefined) return undefined;
    const state = this.#options.presence.states().get(peer);
    return {
      ...profile(state),
      kind: link.member.kind,
      peer,
      device: link.member.device,
      link: link.direct ? 'direct' : 'relayed',
      latencyMs: facts.latencyMs,
      since: facts.since,
    };
  }

  /** introduced by a relay, not proven to be a member */
  #strangerYet(peer: PeerId): MeshPeer {
    return { ...profile(undefined), peer, device: '' as DeviceId, link: 'connecting', latencyMs: null, since: 0 };
  }
}

/** A relay may be there with several addresses. */
function waysOf(relays: readonly RelayAddress[]): ReadonlyMap<PeerId, RelayWays> {
  const byPeer = Map.groupBy(relays, ({ peer }) => peer);
  return new Map(
    [...byPeer].flatMap(([peer, [best, ...others]]) => (best === undefined ? [] : [[peer, [best, ...others]]])),
  );
}

type Profile = Omit<MeshPeer, 'peer' | 'device' | 'link' | 'latencyMs' | 'since'>;

function profile(state: PresenceState | undefined): Profile {
  return {
    name: state?.name ?? '',
    kind: state?.kind ?? 'tab',
    visible: state?.visible ?? true,
    tools: state?.tools ?? [],
    shardRecords: state?.shardRecords ?? 0,
    served: state?.served ?? {},
    load: state?.load ?? null,
    battery: state?.battery ?? null,
    links: state?.links ?? [],
  };
}

function progressOf(params: Record<string, unknown>) {
  const { progress, total, message } = params;
  return {
    progress: typeof progress === 'number' ? progress : 0,
    total: typeof total === 'number' ? total : null,
    message: typeof message === 'string' ? message : null,
  };
}

/** The one way in which a caller learns that there is nobody to ask for a relay's service. */
export function noRelayMember(what: string): TabmeshError {
  return new TabmeshError('no_place', `no relay that is a member of this room is here now, so nobody can ${what}`, {
    hint: 'If the room has one, start it again. Else use a room whose relay is a member, such as the one a relay prints at its start.',
    retryable: true,
  });
}
