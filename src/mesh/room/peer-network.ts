import type { Libp2p } from '@libp2p/interface';
import type { BootstrapNode, BootstrapResult } from '../../contracts/bootstrap.ts';
import type { Discovered, DiscoverRequest } from '../../contracts/discovery.ts';
import type { MeshPeer } from '../../contracts/mesh.ts';
import type {
  BootstrapRequest,
  Connected,
  ConnectRequest,
  HourlyMetrics,
  KnownPeer,
  LinkStatus,
  NetworkBootstrap,
  PeerMetrics,
  PeerNetwork,
} from '../../contracts/peer-network.ts';
import type { Clock } from '../../lib/clock.ts';
import { startDeadline } from '../../lib/deadline.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import type { PeerId } from '../../lib/ids.ts';
import type { Shared } from '../../lib/shared.ts';
import { checkBootstrapAddress } from '../bootstrap/address.ts';
import type { Bootstrapper, BootstrapperOptions } from '../bootstrap/bootstrapper.ts';
import { bootstrapNode } from '../bootstrap/nodes.ts';
import type { DiscoveryCoordinator } from '../discovery/coordinator.ts';
import type { PeerLedger } from '../discovery/ledger.ts';
import type { ManualRegistry } from '../discovery/manual-registry.ts';
import { parsePeerAddress } from '../discovery/peer-address.ts';
import type { RendezvousRegistry } from '../discovery/rendezvous-registry.ts';
import { disconnect } from '../membership/disconnect.ts';
import type { Membership } from '../membership/membership.ts';
import type { RelayAddress } from '../node/relay-address.ts';
import { hostOf } from '../node/relay-address.ts';
import type { RoomMesh } from './room-mesh.ts';

/** Between two tries to connect: what made the first fail may pass in a second. */
const RETRY_PAUSE_MS = 1_000;
/** Trying again changes nothing about these. */
const FINAL = new Set(['invalid_input', 'forbidden', 'not_a_member', 'cancelled']);
/** What is sent to measure bandwidth: some milliseconds of a good line, a second of a bad one. */
const PROBE_BYTES = 256 * 1024;
const PROBE_TIMEOUT_MS = 5_000;
/** A line's bandwidth is not measured more often than this: measuring uses it up. */
const PROBE_INTERVAL_MS = 5 * 60_000;

export interface PeerNetworkOptions {
  readonly mesh: Pick<RoomMesh, 'peers' | 'request' | 'letGo' | 'retryRelays'>;
  readonly node: Pick<Libp2p, 'dial'>;
  readonly membership: Pick<Membership, 'proven' | 'linkTo' | 'links'>;
  readonly coordinator: DiscoveryCoordinator;
  readonly manual: ManualRegistry;
  readonly rendezvous: Pick<RendezvousRegistry, 'listed'>;
  readonly ledger: PeerLedger;
  readonly bootstrapper: Shared<[BootstrapperOptions['reach']], Bootstrapper>;
  readonly relays: () => readonly RelayAddress[];
  /** has the dialer keep a link to the peer */
  readonly keep: (peer: PeerId, multiaddr: string) => void;
  /** lets addresses at this `host:port` be dialled from now on: who administers this peer has named it */
  readonly allowHost: (host: string) => void;
  readonly isOpen: () => boolean;
  readonly onBootstrapped?: (result: BootstrapResult) => void;
  readonly clock: Clock;
}

/** Makes the {@link PeerNetwork} of a room's peer. */
export function createPeerNetwork(options: PeerNetworkOptions): PeerNetwork {
  return new MeshPeerNetwork(options);
}

class MeshPeerNetwork implements PeerNetwork {
  readonly #options: PeerNetworkOptions;

  constructor(options: PeerNetworkOptions) {
    this.#options = options;
  }

  available(): boolean {
    return this.#options.isOpen();
  }

  list(): readonly KnownPeer[] {
    const { mesh, coordinator } = this.#options;
    const [self, ...others] = mesh.peers();
    const present = new Set(others.map(({ peer }) => peer));
    const absent = coordinator.cached().filter(({ peer }) => !present.has(peer) && peer !== self?.peer);
    return [...others.map((peer) => this.#known(peer.peer, peer)), ...absent.map(({ peer }) => this.#known(peer))];
  }

  discover(request: DiscoverRequest, signal: AbortSignal): Promise<Discovered> {
    return this.#options.coordinator.discover(request, signal);
  }

  async connect(request: ConnectRequest, signal: AbortSignal): Promise<Connected> {
    const { clock, manual, keep, membership } = this.#options;
    const { peer, multiaddr, persist } = request;
    const started = clock.now();
    const parsed = parsePeerAddress(multiaddr);
    if (parsed?.peer !== peer) {
      throw new TabmeshError('invalid_input', `"${multiaddr}" is no address of the peer ${peer}`, {
        hint: 'It is a multiaddr that ends in /p2p/ and the peer id.',
        details: { attempts: 0 },
      });
    }
    const linked = membership.linkTo(peer) !== undefined;
    const attempts = linked ? 0 : await this.#connect(request, signal);
    if (persist) {
      manual.add(multiaddr);
      keep(peer, multiaddr);
    }
    return { peer: this.#known(peer), attempts, tookMs: clock.now() - started };
  }

  async disconnect(peer: PeerId, { graceful, reason }: Parameters<PeerNetwork['disconnect']>[1]): Promise<boolean> {
    const { membership, mesh } = this.#options;
    const links = membership.links().filter((link) => link.member.peer === peer);
    // before the links close, or they would be made again at once
    mesh.letGo(peer);
    const why = new Error(reason ?? 'disconnected on purpose');
    await Promise.all(
      links.map(async ({ connection }) => {
        if (graceful) await disconnect(connection, why);
        else connection.abort(why);
      }),
    );
    return links.length > 0;
  }

  async metrics(peer: PeerId, signal: AbortSignal): Promise<PeerMetrics | undefined> {
    const { ledger, coordinator, mesh, clock } = this.#options;
    const present = mesh.peers().find((other) => other.peer === peer);
    if (present?.link === 'self' || (present === undefined && coordinator.known(peer) === undefined)) return undefined;
    await this.#measureBandwidth(peer, signal);
    const known = this.#known(peer);
    const account = ledger.of(peer);
    const served = present === undefined || present.name === '' ? null : sum(Object.values(present.served));
    return {
      at: clock.now(),
      peer: known,
      latencyMs: known.latencyMs,
      bandwidthMbps: account?.bandwidthMbps ?? null,
      lossPercent: account?.lossPercent ?? null,
      quality: account?.quality ?? null,
      requestsServed: served,
      bytesTransferred: account?.bytes ?? 0,
    };
  }

  history(peer: PeerId, hours: number): readonly HourlyMetrics[] {
    return this.#options.ledger.hours(peer, hours);
  }

  async bootstrap(request: BootstrapRequest, signal: AbortSignal): Promise<NetworkBootstrap> {
    const { bootstrapper, relays, membership, mesh } = this.#options;
    const nodes =
      request.nodes?.map((multiaddr) => bootstrapNode({ multiaddr, method: 'custom_server' })) ??
      relays().map(({ address }) => bootstrapNode({ multiaddr: address.toString(), method: 'relay' }));
    const used = nodes.slice(0, request.maxConnections);
    mesh.retryRelays();
    const { timeoutMs } = request;
    const result = await bootstrapper.get((node, s) => this.#reach(node, s)).run({ nodes: used, timeoutMs }, signal);
    this.#options.onBootstrapped?.(result);
    const reached = result.reached.flatMap((multiaddr) => parsePeerAddress(multiaddr)?.peer ?? []);
    const members = membership.links().map(({ member }) => member.peer);
    return {
      result,
      nodesUsed: used.map(({ multiaddr }) => multiaddr),
      connectedPeers: [...new Set([...reached, ...members])],
    };
  }

  /** @returns tries that it took */
  async #connect({ peer, multiaddr, timeoutMs, attempts }: ConnectRequest, signal: AbortSignal): Promise<number> {
    const { clock, ledger } = this.#options;
    for (let attempt = 1; ; attempt++) {
      const deadline = startDeadline({ clock, ms: timeoutMs, what: `connecting to ${peer}`, signal });
      try {
        await deadline.race(this.#dialMember(multiaddr, deadline.signal));
        ledger.tried(peer, true);
        return attempt;
      } catch (thrown) {
        const error = deadline.reason() ?? toTabmeshError(thrown, 'peer_unreachable');
        if (error.code !== 'cancelled') ledger.tried(peer, false);
        if (attempt >= attempts || FINAL.has(error.code)) {
          throw new TabmeshError(error.code, error.message, {
            ...(error.hint === null ? {} : { hint: error.hint }),
            retryable: error.retryable,
            details: { ...error.details, attempts: attempt },
            cause: error,
          });
        }
      } finally {
        deadline.dispose();
      }
      await clock.sleep(RETRY_PAUSE_MS, signal);
    }
  }

  async #dialMember(multiaddr: string, signal: AbortSignal): Promise<void> {
    const { node, membership } = this.#options;
    const address = this.#dialable(multiaddr);
    await membership.proven(await node.dial(address, { signal }));
  }

  /** A node is reached when it is one of the room's relays, or proves to be a member. */
  async #reach(node: BootstrapNode, signal: AbortSignal): Promise<number> {
    const checked = checkBootstrapAddress(node.multiaddr);
    if (!checked.ok) throw new TabmeshError('invalid_input', `no bootstrap address: ${checked.reason}`);
    const { node: libp2p, relays, rendezvous } = this.#options;
    if (!relays().some(({ peer }) => peer === checked.peer)) {
      await this.#dialMember(node.multiaddr, signal);
      return 1;
    }
    await libp2p.dial(this.#dialable(node.multiaddr), { signal });
    const through = `/p2p/${checked.peer}/`;
    return rendezvous.listed().filter(({ multiaddrs }) => multiaddrs.some((way) => way.includes(through))).length;
  }

  #dialable(multiaddr: string) {
    const parsed = parsePeerAddress(multiaddr);
    if (parsed === undefined) throw new TabmeshError('invalid_input', `"${multiaddr}" is not the address of a peer`);
    const host = hostOf(parsed.address);
    if (host !== null) this.#options.allowHost(host);
    return parsed.address;
  }

  /** Sends some bytes along with a ping. Not over a relayed link, whose bytes are counted. */
  async #measureBandwidth(peer: PeerId, signal: AbortSignal): Promise<void> {
    const { ledger, clock, membership, mesh } = this.#options;
    const account = ledger.of(peer);
    if (membership.linkTo(peer)?.direct !== true) return;
    const measuredAt = account?.bandwidthAt ?? null;
    if (measuredAt !== null && clock.now() - measuredAt < PROBE_INTERVAL_MS) return;
    const padding = 'x'.repeat(PROBE_BYTES);
    try {
      await mesh.request(peer, 'ping', {}, { signal, timeoutMs: PROBE_TIMEOUT_MS });
      const empty = performance.now();
      await mesh.request(peer, 'ping', {}, { signal, timeoutMs: PROBE_TIMEOUT_MS });
      const full = performance.now();
      await mesh.request(peer, 'ping', { padding }, { signal, timeoutMs: PROBE_TIMEOUT_MS });
      const end = performance.now();
      // the round trip is no part of the sending; a line that is too fast to tell them apart is at least this fast
      const spent = Math.max(end - full - (full - empty), (end - full) / 2);
      ledger.measured(peer, (PROBE_BYTES * 8) / 1000 / spent);
    } catch (thrown) {
      signal.throwIfAborted();
      // unknown, then; that it does not answer is for the pings to count
      if (toTabmeshError(thrown).code === 'cancelled') throw thrown;
    }
  }

  #known(peer: PeerId, present = this.#options.mesh.peers().find((other) => other.peer === peer)): KnownPeer {
    const { coordinator, ledger, membership, clock } = this.#options;
    const record = coordinator.known(peer);
    const account = ledger.of(peer);
    const status = statusOf(present);
    const said = present === undefined || present.name === '' ? undefined : [...present.tools, present.kind];
    const dialled = membership.linkTo(peer)?.connection;
    return {
      peer,
      multiaddr:
        (dialled?.direction === 'outbound' ? dialled.remoteAddr.toString() : undefined) ??
        record?.multiaddrs[0] ??
        null,
      status,
      kind: status === 'connected' ? (present?.kind ?? null) : kindOf(record?.capabilities ?? []),
      capabilities: said ?? record?.capabilities ?? [],
      lastSeen:
        status === 'connected'
          ? (account?.lastActive ?? clock.now())
          : (record?.lastSeen ?? account?.lastActive ?? null),
      connectedSince: status === 'connected' ? (present?.since ?? null) : null,
      latencyMs: present?.latencyMs ?? account?.latencyMs ?? null,
      bandwidthMbps: account?.bandwidthMbps ?? null,
      reliability: account?.reliability ?? null,
      uptimeHours: account?.uptimeHours ?? null,
    };
  }
}

function statusOf(present: MeshPeer | undefined): LinkStatus {
  if (present === undefined) return 'disconnected';
  return present.link === 'connecting' ? 'connecting' : 'connected';
}

function kindOf(capabilities: readonly string[]): 'tab' | 'relay' | null {
  return capabilities.includes('relay') ? 'relay' : capabilities.includes('tab') ? 'tab' : null;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
