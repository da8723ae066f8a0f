import type { Connection, MeshPeer, PeerLink, RelayStatus } from '../../contracts/mesh.ts';
import type { Clock } from '../../lib/clock.ts';
import type { DeviceId, PeerId } from '../../lib/ids.ts';
import { createListeners } from '../../lib/listeners.ts';
import type { Log } from '../../lib/log.ts';
import { PeerDialer } from '../links/peer-dialer.ts';
import type { RelayAccess } from '../links/relay-link.ts';
import type { RelayAddress } from '../node/relay-address.ts';
import type { RoomNode } from '../node/room-node.ts';
import type { Principals } from '../principals/principals.ts';
import type { Introduction } from '../rendezvous/messages.ts';
import type { PresenceState } from '../replica/presence-state.ts';
import type { Presence } from '../replica/presence.ts';
import type { OpenSyncSession } from '../replica/sync.ts';
import { REQUEST_META } from '../rpc/mcp-wire.ts';
import type { RequestOptions } from '../rpc/session.ts';
import type { RpcSessionsOptions } from '../rpc/sessions.ts';
import { RpcSessions } from '../rpc/sessions.ts';
import { MemberCalls } from './member-calls.ts';
import { Members } from './members.ts';
import type { MeshWatch } from './mesh-watch.ts';
import { OwnPresence } from './own-presence.ts';
import type { RelayMember, RemotePeer } from './peer-views.ts';
import { PeerViews } from './peer-views.ts';
import { RelayStays } from './relay-stays.ts';
import { SyncStreams } from './sync-streams.ts';

export interface RoomMeshOptions {
  readonly node: RoomNode;
  readonly self: { readonly peer: PeerId; readonly device: DeviceId };
  /** a relay may be there with several addresses */
  readonly relays: readonly RelayAddress[];
  readonly access: RelayAccess;
  /** rendezvous topic of the room, as of now */
  readonly topic: () => string;
  /** those of its earlier epochs */
  readonly pastTopics: () => readonly string[];
  /** ways to dial this peer without a circuit; none for a tab */
  readonly addresses: () => readonly string[];
  /** whether it is reached through relays and by WebRTC, and reaches others so */
  readonly throughRelays: boolean;
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
  readonly #relays: RelayStays;
  readonly #views: PeerViews;
  readonly #calls: MemberCalls;
  readonly #own: OwnPresence;
  readonly #listeners = createListeners();
  readonly #unsubscribe: (() => void)[] = [];

  constructor(options: RoomMeshOptions) {
    this.#options = options;
    const { node, self, clock, log, presence, visible, watch, principals } = options;
    const { membership } = node.libp2p.services;
    const onChange = () => {
      this.#listeners.notify();
    };
    this.#rpc = new RpcSessions({
      node: node.libp2p,
      membership,
      serve: options.serve,
      onBytes: (peer, bytes) => watch?.transferred(peer, bytes),
      clock,
    });
    this.#members = new Members({
      membership,
      rpc: this.#rpc,
      clock,
      visible,
      isHidden: (peer) => presence.states().get(peer)?.visible === false,
      onProbe: (peer, latencyMs) => watch?.probed(peer, latencyMs),
      log,
    });
    this.#sync = new SyncStreams({ node: node.libp2p, membership, replica: options.replica, presence, log });
    this.#dialer = new PeerDialer({
      node: node.libp2p,
      membership,
      dialsThroughRelay: options.throughRelays,
      dialsTabs: options.throughRelays && options.addresses().length === 0,
      refused: () => options.refusal() !== null,
      self: self.peer,
      clock,
      log,
      onChange,
    });
    this.#relays = new RelayStays({ ...options, watch, dialer: this.#dialer, members: this.#members, onChange });
    this.#own = new OwnPresence(presence);
    this.#views = new PeerViews({
      self,
      since: clock.now(),
      membership,
      members: this.#members,
      presence,
      own: () => this.#own.state,
      connecting: () => this.#dialer.connecting(),
    });
    this.#calls = new MemberCalls({
      rpc: this.#rpc,
      principals,
      dialer: this.#dialer,
      deviceOf: (peer) => membership.linkTo(peer)?.member.device,
    });
    this.#unsubscribe.push(
      this.#members.subscribe(onChange),
      presence.subscribe(() => {
        for (const [peer, state] of presence.states()) void this.#members.offers(peer, state.tools);
        onChange();
      }),
      membership.subscribe(({ type, link }) => {
        if (type === 'closed' && membership.linkTo(link.member.peer) === undefined) presence.remove(link.member.peer);
      }),
    );
  }

  /** Begins to serve, then to look for members. */
  async start(): Promise<void> {
    await Promise.all([this.#rpc.start(), this.#sync.start()]);
    this.#relays.start();
  }

  subscribe(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  /** this peer first, then linked ones, then those being connected to */
  peers(): readonly MeshPeer[] {
    return this.#views.all();
  }

  connection(): Connection {
    const links = new Set(this.peers().map(({ link }) => link));
    if (links.has('relayed')) return { state: 'relayed' };
    if (links.has('direct')) return { state: 'direct' };
    const relays = this.relays();
    if (relays.some(({ state }) => state === 'joined')) {
      const refusal = this.#options.refusal();
      return refusal === null ? { state: 'alone' } : { state: 'refused', message: refusal };
    }
    const offline = relays.find(({ state }) => state === 'offline');
    if (offline !== undefined) {
      return { state: 'offline', message: `${offline.host}: ${offline.message ?? ''}`, retryAt: offline.retryAt };
    }
    return relays.length === 0
      ? { state: 'offline', message: 'no relay is configured', retryAt: null }
      : { state: 'starting', message: 'connecting to the relay' };
  }

  /** The relays that this peer uses, as configured, and how it stands to each. */
  relays(): readonly RelayStatus[] {
    return this.#relays.status();
  }

  /**
   * The room's relays are these now: goes to those that are new, leaves those that are gone, tries the others' addresses
   * at the next occasion.
   */
  useRelays(relays: readonly RelayAddress[]): Promise<void> {
    return this.#relays.use(relays);
  }

  /** The room's topic has changed: looks for members under the new one, and stays listed for who was away. */
  rejoin(): Promise<void> {
    return this.#relays.rejoin();
  }

  /** The links of this peer, for others to see. Rounded, so that they are told anew only when something has changed. */
  links(): readonly PeerLink[] {
    return this.#views.links();
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
    this.#relays.retryNow();
    this.#dialer.retryNow();
  }

  /** Members that are relays of the invite or the page, with the `host:port` at which each is linked. */
  relayMembers(): readonly RelayMember[] {
    return this.#views.relayMembers();
  }

  /** members that can be called */
  list(): readonly RemotePeer[] {
    return this.#views.callable();
  }

  /** Calls a tool at a member: {@link MemberCalls.call}. */
  call(...asked: Parameters<MemberCalls['call']>): Promise<unknown> {
    return this.#calls.call(...asked);
  }

  /** One request of MCP to a member, for somebody: {@link MemberCalls.forward}. */
  forward(...asked: Parameters<MemberCalls['forward']>): Promise<unknown> {
    return this.#calls.forward(...asked);
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
    this.#own.set(state);
    this.#listeners.notify();
  }

  async stop(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#own.stop();
    this.#options.presence.close();
    this.#dialer.stop();
    this.#members.stop();
    await this.#relays.stop();
    await this.#options.node.stop();
  }
}
