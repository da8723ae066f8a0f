import type { OnBootstrap, Reachability } from '../../contracts/bootstrap.ts';
import type { OnDiscovery, PeerRecord, PeerRegistry } from '../../contracts/discovery.ts';
import type { PeerFinding, SeenFromOutside } from '../../contracts/peer-finding.ts';
import type { PeerNetwork } from '../../contracts/peer-network.ts';
import type { Clock } from '../../lib/clock.ts';
import { toTabmeshError } from '../../lib/errors.ts';
import type { PeerId } from '../../lib/ids.ts';
import type { Log } from '../../lib/log.ts';
import { shared } from '../../lib/shared.ts';
import type { BootstrapperOptions } from '../../mesh/bootstrap/bootstrapper.ts';
import { Bootstrapper } from '../../mesh/bootstrap/bootstrapper.ts';
import { DiscoveryCoordinator } from '../../mesh/discovery/coordinator.ts';
import { DialDiscovered } from '../../mesh/discovery/dial-discovered.ts';
import { DiscoveryLoop, OWN_TTL_SECONDS } from '../../mesh/discovery/discovery-loop.ts';
import { encodePeers, PEERS_METHOD } from '../../mesh/discovery/gossip-messages.ts';
import { GossipRegistry } from '../../mesh/discovery/gossip-registry.ts';
import { PeerLedger } from '../../mesh/discovery/ledger.ts';
import { ManualRegistry } from '../../mesh/discovery/manual-registry.ts';
import { MAX_ADDRESSES, newRecord } from '../../mesh/discovery/record.ts';
import { RendezvousRegistry } from '../../mesh/discovery/rendezvous-registry.ts';
import type { RelayAddress } from '../../mesh/node/relay-address.ts';
import { hostOf, throughRelay } from '../../mesh/node/relay-address.ts';
import type { RoomNode } from '../../mesh/node/room-node.ts';
import type { Presence } from '../../mesh/replica/presence.ts';
import { createPeerNetwork } from '../../mesh/room/peer-network.ts';
import { parsePeerAddress } from '../../mesh/discovery/peer-address.ts';
import type { MeshWatch } from '../../mesh/room/mesh-watch.ts';
import type { RoomMesh } from '../../mesh/room/room-mesh.ts';
import type { ExtraMethod } from '../../mesh/rpc/mcp-server.ts';
import { PeerMetrics } from '../../monitor/peer-metrics.ts';

/** What of finding peers differs between a tab and the relay process. */
export interface DiscoveryPlatform {
  /** besides relays, members and addresses typed in, which every peer has */
  readonly registries: readonly PeerRegistry[];
  readonly reachability: Reachability;
  /** `host:port` that may be dialled besides the relays: the node's gater looks here, and what its owner names is put here */
  readonly namedHosts: Set<string>;
  /** whether a service outside is set that tells how this device is seen from there: it is asked once at the start */
  readonly asksOutside: () => boolean;
}

export interface RoomNetworkOptions extends DiscoveryPlatform {
  readonly self: PeerId;
  readonly kind: 'tab' | 'relay';
  readonly relays: () => readonly RelayAddress[];
  readonly addresses: () => readonly string[];
  readonly throughRelays: boolean;
  /** names of the tools that this peer offers */
  readonly tools: () => readonly string[];
  readonly node: RoomNode;
  readonly mesh: () => RoomMesh;
  readonly presence: Presence;
  /** something was counted */
  readonly onChange?: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** How long services outside are waited for at the start. */
const OUTSIDE_TIMEOUT_MS = 30_000;
/** Relays answer within seconds or are away; the services outside are asked meanwhile. */
const LOOK_TIMEOUT_MS = 30_000;
/** More relays than a room has. */
const MAX_RELAYS_TRIED = 20;

/** Finding peers, and getting to them, wired up for one room. */
export interface RoomNetwork {
  readonly network: PeerNetwork;
  /** for the mesh to feed */
  readonly watch: MeshWatch;
  /** served to members */
  readonly methods: Readonly<Record<string, ExtraMethod>>;
  /** how it has gone so far */
  finding(): PeerFinding;
  /** Publishes this peer, looks for others and asks how it is seen from outside now: what is asked has changed. */
  again(): void;
  /**
   * The same, and tries every relay of the room and asks how this device is seen from outside; resolves when all that has
   * come to an end.
   * @throws `cancelled`
   */
  look(signal: AbortSignal): Promise<void>;
  /** call when the mesh has started */
  start(): void;
  stop(): void;
}

/** Makes the {@link RoomNetwork} of a room's peer. */
export function createRoomNetwork(options: RoomNetworkOptions): RoomNetwork {
  const { self, kind, node, mesh, presence, clock, log } = options;
  const { membership } = node.libp2p.services;
  const { relays } = options;
  const metrics = new PeerMetrics(clock);
  const changed = options.onChange ?? (() => undefined);
  const trackDiscovery: OnDiscovery = (...args) => {
    metrics.trackDiscovery(...args);
    changed();
  };
  const trackBootstrap: OnBootstrap = (...args) => {
    metrics.trackBootstrap(...args);
    changed();
  };
  let outside: SeenFromOutside | null = null;
  const seen = ({ publicIp, natType }: Omit<SeenFromOutside, 'at'>) => {
    // without anybody to ask it is a guess from this device's own addresses
    if (!options.asksOutside()) return;
    outside = { publicIp, natType, at: clock.now() };
    changed();
  };
  const ledger = new PeerLedger(clock);
  const capabilitiesOf = (peer: PeerId) => {
    const state = presence.states().get(peer);
    return state === undefined ? [] : [...state.tools, state.kind];
  };
  const rendezvous = new RendezvousRegistry(clock, capabilitiesOf);
  const manual = new ManualRegistry(clock);
  const members = () => [...new Set(membership.links().map(({ member }) => member.peer))];
  const gossip = new GossipRegistry({
    self,
    clock,
    members,
    ask: (member, signal) => mesh().request(member, PEERS_METHOD, {}, { signal }),
  });
  const coordinator = new DiscoveryCoordinator({
    registries: [manual, rendezvous, gossip, ...options.registries],
    clock,
    self,
    rankOf: ledger.rankOf,
    onDiscovery: trackDiscovery,
  });
  const dialer = new DialDiscovered({
    self,
    relays,
    allows: (host) => options.namedHosts.has(host) || relays().some((relay) => relay.host === host),
    isLinked: (peer) => membership.linkTo(peer) !== undefined,
    want: (introduction, by) => mesh().want(introduction, by),
    drop: (peer, by) => mesh().unwant(peer, by),
    clock,
  });
  const own = (): PeerRecord | undefined => {
    const direct = options.addresses();
    const relayed = options.throughRelays ? relays() : [];
    const ways = [...direct, ...relayed.map((relay) => throughRelay(relay, self, true).toString())];
    if (ways.length === 0) return undefined;
    const fields = { peer: self, multiaddrs: ways.slice(0, MAX_ADDRESSES), capabilities: [...options.tools(), kind] };
    return newRecord({ ...fields, source: 'unknown', ttlSeconds: OWN_TTL_SECONDS }, clock.now());
  };
  const loop = new DiscoveryLoop({ coordinator, dialer, membership, own, clock, log });

  let open = false;
  const network = createPeerNetwork({
    mesh: {
      peers: () => mesh().peers(),
      request: (...args) => mesh().request(...args),
      letGo: (peer) => mesh().letGo(peer),
      retryRelays: () => mesh().retryRelays(),
    },
    node: node.libp2p,
    membership,
    coordinator,
    manual,
    rendezvous,
    ledger,
    bootstrapper: shared(
      (reach: BootstrapperOptions['reach']) =>
        new Bootstrapper({ reach, reachability: options.reachability, clock, onBootstrap: trackBootstrap }),
    ),
    relays,
    keep: (peer, text) => {
      const address = parsePeerAddress(text)?.address;
      const host = address === undefined ? null : hostOf(address);
      if (address === undefined || host === null) return;
      mesh().want({ peer, addresses: [text] }, { peer: `named:${peer}` as PeerId, address, host });
    },
    allowHost: (host) => options.namedHosts.add(host),
    isOpen: () => open,
    onBootstrapped: seen,
    clock,
  });
  let unsubscribe: () => void = () => undefined;
  const stopping = new AbortController();

  const askOutside = async (signal: AbortSignal) => {
    const { reachability } = options;
    const [address, type] = await Promise.all([reachability.publicAddress(signal), reachability.natType(signal)]);
    seen({ publicIp: address, natType: type });
    log.info('seen from outside', { address: address ?? 'unknown', nat: type });
  };

  const tellOutside = () => {
    if (!options.asksOutside()) return;
    askOutside(AbortSignal.any([stopping.signal, AbortSignal.timeout(OUTSIDE_TIMEOUT_MS)])).catch((thrown: unknown) => {
      if (!stopping.signal.aborted) log.info('not seen from outside', { reason: toTabmeshError(thrown).message });
    });
  };

  return {
    network,
    finding: () => ({ ...metrics.snapshot(), ...metrics.details(), outside: options.asksOutside() ? outside : null }),
    again() {
      loop.again();
      tellOutside();
    },
    async look(signal) {
      loop.again();
      const request = { timeoutMs: LOOK_TIMEOUT_MS, maxConnections: MAX_RELAYS_TRIED };
      await network.bootstrap(request, signal);
    },
    watch: {
      relayTried: ({ host }, durationMs, error) => {
        trackBootstrap('relay', error === null, durationMs, { target: host, error });
      },
      introduced: (introduction, by) => rendezvous.introduced(introduction, by),
      left: (peer, by) => rendezvous.left(peer, by),
      relayGone: (relay) => rendezvous.relayGone(relay),
      probed: (peer, latencyMs) => ledger.probed(peer, latencyMs),
      transferred: (peer, bytes) => ledger.transferred(peer, bytes),
    },
    methods: {
      [PEERS_METHOD]: () => Promise.resolve(encodePeers(rendezvous.listed(), clock.now())),
    },
    start() {
      open = true;
      for (const peer of members()) ledger.linked(peer);
      unsubscribe = membership.subscribe(({ type, link: { member } }) => {
        if (type === 'opened') ledger.linked(member.peer);
        else if (membership.linkTo(member.peer) === undefined) ledger.unlinked(member.peer);
      });
      loop.start();
      tellOutside();
    },
    stop() {
      stopping.abort();
      open = false;
      unsubscribe();
      loop.stop();
    },
  };
}
