import type {
  Connection,
  Libp2pEvents,
  PeerId as Libp2pPeerId,
  PeerStore,
  Startable,
  Stream,
  TypedEventTarget,
} from '@libp2p/interface';
import type { Registrar } from '@libp2p/interface-internal';
import type { Multiaddr } from '@multiformats/multiaddr';
import { PROTOCOLS } from '../../contracts/versions.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import type { DeviceId, PeerId } from '../../lib/ids.ts';
import type { Log } from '../../lib/log.ts';
import type { MemberLink, MemberLinks, Proven } from '../rpc/member-links.ts';
import { disconnect } from './disconnect.ts';
import { installGuard } from './guard.ts';
import type { JoinSecrets } from './join.ts';
import { runJoin } from './join.ts';
import { MAX_JOIN_MESSAGE_BYTES } from './join-messages.ts';
import { messageChannel } from './message-channel.ts';
import { isPublicProtocol } from './protocols.ts';
import type { Role } from './proof.ts';
import { isPutOut } from './put-out.ts';

/** A connection that has not proven membership after this long is closed: the proof takes three round trips. */
export const JOIN_TIMEOUT_MS = 5_000;

interface Candidate {
  readonly proven: Promise<Proven>;
  readonly resolve: (member: Proven) => void;
  readonly reject: (error: Error) => void;
  readonly timer: ReturnType<typeof setTimeout>;
  joining: boolean;
}

/** What libp2p gives to a service. */
export interface MembershipComponents {
  readonly peerId: Libp2pPeerId;
  readonly registrar: Registrar;
  readonly peerStore: PeerStore;
  readonly events: TypedEventTarget<Libp2pEvents>;
}

export interface MembershipOptions {
  /** asked at every join: a room's secret changes */
  readonly secrets: () => Omit<JoinSecrets, 'identity'>;
  /**
   * Fetches the secret of a newer epoch over a connection whose other end may know one.
   * @param theirs the epoch that it has named
   * @returns whether there was something new
   */
  readonly catchUp?: (connection: Connection, theirs: number) => Promise<boolean>;
  /** Tells the other end of a connection that its device was put out, though it knows the secret. Never rejects. */
  readonly tellPutOut?: (connection: Connection) => Promise<void>;
  readonly certificate: Uint8Array;
  readonly kind: 'tab' | 'relay';
  /** whether a connection is a relay's own leg: it never proves, and is not closed for that */
  readonly isInfrastructure: (peer: string, address: Multiaddr) => boolean;
  /**
   * Whether the other end is where a relay of this room is known to be. Only there may a member call itself one: a relay is
   * asked for tickets and tokens, and may call for its clients.
   */
  readonly isRelayAt: (address: Multiaddr) => boolean;
  readonly log: Log;
  readonly joinTimeoutMs?: number;
}

/**
 * Who is a member, connection by connection. A proof holds for the connection it was made on and is forgotten with it.
 * The dialling side starts the join.
 */
export class Membership implements MemberLinks, Startable {
  readonly #options: MembershipOptions;
  readonly #node: MembershipComponents;
  readonly #candidates = new Map<string, Candidate>();
  readonly #links = new Map<string, MemberLink>();
  readonly #listeners = new Set<(event: { type: 'opened' | 'closed'; link: MemberLink }) => void>();
  #refused = 0;

  constructor(components: MembershipComponents, options: MembershipOptions) {
    this.#node = components;
    this.#options = options;
    // in the constructor: libp2p builds its services before anything listens
    installGuard(components.registrar, (connection, protocol, direction) =>
      this.#admit(connection, protocol, direction),
    );
  }

  /** Called by libp2p. */
  async start(): Promise<void> {
    const { registrar, events } = this.#node;
    await registrar.handle(PROTOCOLS.join, (stream, connection) => void this.#join('responder', stream, connection), {
      runOnLimitedConnection: true,
      maxInboundStreams: 1,
    });
    events.addEventListener('connection:open', (event) => {
      this.#opened(event.detail);
    });
    events.addEventListener('connection:close', (event) => {
      this.#closed(event.detail);
    });
    // identify replaces the peer's protocol list by what it announces to strangers
    events.addEventListener('peer:identify', (event) => {
      const link = this.#links.get(event.detail.connection.id);
      if (link !== undefined) void this.#tellTopologies(link);
    });
  }

  /** Called by libp2p: a stopped node has no members. */
  async stop(): Promise<void> {
    for (const candidate of this.#candidates.values()) clearTimeout(candidate.timer);
    this.#candidates.clear();
    await this.#node.registrar.unhandle(PROTOCOLS.join);
  }

  /** streams and joins refused so far */
  get refused(): number {
    return this.#refused;
  }

  /** all proven connections */
  links(): readonly MemberLink[] {
    return [...this.#links.values()];
  }

  /**
   * The best proven connection to a peer: direct before relayed, newer before older. A page that was reloaded comes back as
   * the same peer while its old connection has not been noticed to be dead.
   */
  linkTo(peer: PeerId): MemberLink | undefined {
    const links = this.links()
      .toReversed()
      .filter((link) => link.member.peer === peer && link.connection.status === 'open');
    return links.find((link) => link.direct) ?? links[0];
  }

  /** The linked peers of a device, those with a direct link first. */
  peersOf(device: DeviceId): readonly PeerId[] {
    const links = this.links().filter((link) => link.member.device === device && link.connection.status === 'open');
    const best = links.toSorted((a, b) => Number(b.direct) - Number(a.direct));
    return [...new Set(best.map((link) => link.member.peer))];
  }

  /** Called when a connection is proven and when a proven one has closed; returns the unsubscribe function. */
  subscribe(listener: (event: { type: 'opened' | 'closed'; link: MemberLink }) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends the links of members that no longer belong, and every join that is under way. */
  async cutOff(isGone: (member: Proven) => boolean): Promise<void> {
    const gone = this.links().filter((link) => isGone(link.member));
    const reason = new TabmeshError('not_a_member', 'this device no longer belongs to the room');
    await Promise.all(gone.map((link) => disconnect(link.connection, reason)));
  }

  /** Resolves when the connection is proven. @throws `not_a_member` */
  async proven(connection: Connection): Promise<Proven> {
    const link = this.#links.get(connection.id);
    if (link !== undefined) return link.member;
    const candidate = this.#candidates.get(connection.id);
    if (candidate === undefined) throw new TabmeshError('not_a_member', 'this connection has not proven membership');
    return candidate.proven;
  }

  async #admit(connection: Connection, protocol: string, direction: 'inbound' | 'outbound'): Promise<void> {
    if (isPublicProtocol(protocol, direction)) return;
    try {
      // streams of one connection are not ordered among each other: the proof may be a moment behind
      await this.proven(connection);
    } catch (cause) {
      if (direction === 'inbound') {
        this.#refused++;
        this.#options.log.warn('refused', { peer: connection.remotePeer.toString(), protocol, reason: 'not a member' });
      }
      throw new TabmeshError('not_a_member', `${protocol} is for members of the room`, { cause });
    }
  }

  #opened(connection: Connection): void {
    const remote = connection.remotePeer.toString();
    if (this.#options.isInfrastructure(remote, connection.remoteAddr)) return;
    const candidate = this.#candidate(connection);
    if (connection.direction === 'outbound' && !candidate.joining) void this.#initiate(connection);
  }

  #candidate(connection: Connection): Candidate {
    const known = this.#candidates.get(connection.id);
    if (known !== undefined) return known;
    const { promise, resolve, reject } = Promise.withResolvers<Proven>();
    // nobody may be waiting for it
    promise.catch(() => undefined);
    const timer = setTimeout(() => {
      this.#drop(connection, new TabmeshError('timeout', 'membership was not proven in time'));
    }, this.#options.joinTimeoutMs ?? JOIN_TIMEOUT_MS);
    const candidate: Candidate = { proven: promise, resolve, reject, timer, joining: false };
    this.#candidates.set(connection.id, candidate);
    return candidate;
  }

  async #initiate(connection: Connection): Promise<void> {
    try {
      const stream = await connection.newStream(PROTOCOLS.join, { runOnLimitedConnection: true });
      await this.#join('initiator', stream, connection);
    } catch (error) {
      this.#drop(connection, error as Error);
    }
  }

  async #join(role: Role, stream: Stream, connection: Connection): Promise<void> {
    const { secrets, certificate, kind, isInfrastructure } = this.#options;
    const peers = { self: this.#node.peerId.toString() as PeerId, remote: connection.remotePeer.toString() as PeerId };
    // the dialling side starts, once: anything else is a stranger trying something
    const expected: Role = connection.direction === 'outbound' ? 'initiator' : 'responder';
    if (role !== expected || isInfrastructure(peers.remote, connection.remoteAddr) || this.#links.has(connection.id)) {
      stream.abort(new TabmeshError('protocol_error', 'no join is due on this connection'));
      return;
    }
    const candidate = this.#candidate(connection);
    if (candidate.joining) {
      stream.abort(new TabmeshError('protocol_error', 'a join is under way on this connection'));
      return;
    }
    candidate.joining = true;
    const signal = AbortSignal.timeout(this.#options.joinTimeoutMs ?? JOIN_TIMEOUT_MS);
    const ours = secrets();
    let theirEpoch = 0;
    try {
      const channel = messageChannel(stream, MAX_JOIN_MESSAGE_BYTES, signal);
      const identity = { certificate, kind, protocols: this.#node.registrar.getProtocols() };
      const proven = await runJoin(role, channel, peers, { ...ours, identity }, (epoch) => {
        theirEpoch = epoch;
      });
      const isRelay = proven.kind === 'relay' && this.#options.isRelayAt(connection.remoteAddr);
      const member: Proven = { ...proven, kind: isRelay ? 'relay' : 'tab', saysRelay: proven.kind === 'relay' };
      await channel.close();
      // the secret may have changed meanwhile, and with it who belongs
      if (secrets().epoch !== ours.epoch) throw new TabmeshError('not_a_member', 'the secret has changed');
      this.#accept(connection, candidate, member);
    } catch (error) {
      // else it would take our proof for a link, and come again at once
      if (isPutOut(error)) await this.#options.tellPutOut?.(connection);
      // the side that is behind asks for the secret on this connection; ours is the next move only if it is us
      if (theirEpoch > 0 && theirEpoch < ours.epoch) {
        candidate.reject(error as Error);
        return;
      }
      this.#drop(connection, await this.#afterCatchingUp(connection, theirEpoch, ours.epoch, error as Error));
    }
  }

  /** Whatever comes of it, this connection is over: the next one is made with the secret as it is then. */
  async #afterCatchingUp(connection: Connection, theirs: number, ours: number, thrown: Error): Promise<Error> {
    const { catchUp } = this.#options;
    // of two owners who changed the secret at once one loses: then the epochs are the same, and the proofs differ
    if (catchUp === undefined || theirs < ours || connection.status !== 'open') return thrown;
    try {
      const news = await catchUp(connection, theirs);
      return news ? new TabmeshError('not_a_member', 'the room had a new secret', { retryable: true }) : thrown;
    } catch (error) {
      return theirs > ours ? (error as Error) : thrown;
    }
  }

  #accept(connection: Connection, candidate: Candidate, member: Proven): void {
    this.#options.log.debug('proven', { peer: member.peer, address: connection.remoteAddr.toString() });
    clearTimeout(candidate.timer);
    this.#candidates.delete(connection.id);
    if (connection.status !== 'open') {
      candidate.reject(new TabmeshError('peer_unreachable', 'the connection closed'));
      return;
    }
    const link: MemberLink = { connection, member, direct: isDirect(connection) };
    this.#links.set(connection.id, link);
    candidate.resolve(member);
    void this.#tellTopologies(link);
    for (const listener of this.#listeners) listener({ type: 'opened', link });
  }

  #drop(connection: Connection, thrown: Error): void {
    const candidate = this.#candidates.get(connection.id);
    if (candidate === undefined) return;
    clearTimeout(candidate.timer);
    this.#candidates.delete(connection.id);
    const error = toTabmeshError(thrown, 'not_a_member');
    candidate.reject(error);
    this.#refused++;
    this.#options.log.warn('refused', {
      peer: connection.remotePeer.toString(),
      protocol: PROTOCOLS.join,
      reason: error.message,
    });
    // a turn later: streams that have waited for the proof are told first why they end
    setTimeout(() => void disconnect(connection, error), 0);
  }

  #closed(connection: Connection): void {
    const candidate = this.#candidates.get(connection.id);
    if (candidate !== undefined) {
      clearTimeout(candidate.timer);
      this.#candidates.delete(connection.id);
      candidate.reject(new TabmeshError('peer_unreachable', 'the connection closed before membership was proven'));
    }
    const link = this.#links.get(connection.id);
    if (link === undefined) return;
    this.#links.delete(connection.id);
    for (const listener of this.#listeners) listener({ type: 'closed', link });
  }

  /** Strangers are not told our protocols, so identify tells nobody that a member speaks Bitswap: we do. */
  async #tellTopologies(link: MemberLink): Promise<void> {
    const { log } = this.#options;
    const { registrar, peerStore } = this.#node;
    const { connection, member } = link;
    const ours = new Set(registrar.getProtocols());
    const shared = member.protocols.filter((protocol) => ours.has(protocol) && !isPublicProtocol(protocol, 'inbound'));
    try {
      // libp2p tells topologies of a disconnect by the protocols in its peer store
      await peerStore.merge(connection.remotePeer, { protocols: shared });
      for (const protocol of shared) {
        for (const topology of registrar.getTopologies(protocol)) {
          if (connection.limits !== undefined && topology.notifyOnLimitedConnection !== true) continue;
          if (topology.filter?.has(connection.remotePeer) === true) continue;
          topology.filter?.add(connection.remotePeer);
          await topology.onConnect?.(connection.remotePeer, connection);
        }
      }
    } catch (error) {
      log.error('could not announce a member', { peer: member.peer, error: (error as Error).message });
    }
  }
}

/** True when the connection's bytes do not pass a relay. */
function isDirect(connection: Connection): boolean {
  const names = connection.remoteAddr.getComponents().map((component) => component.name);
  return connection.limits === undefined && (!names.includes('p2p-circuit') || names.includes('webrtc'));
}
