import type { AuditPort } from '../../contracts/access.ts';
import { DEFAULT_CLASS_ACCESS } from '../../contracts/approvals.ts';
import type { BlockStore } from '../../contracts/dataset.ts';
import type { KeyValueStore } from '../../contracts/kv.ts';
import type { Invite, MeshPeer, RoomOrigin } from '../../contracts/mesh.ts';
import type { DoctorPort, PlatformProbes } from '../../contracts/doctor.ts';
import type { McpProvider } from '../../contracts/mcp.ts';
import type { Ports } from '../../contracts/ports.ts';
import type { RelayOffer } from '../../contracts/replica.ts';
import type { RoutingPort } from '../../contracts/routing.ts';
import type { WorkflowDefinition } from '../../contracts/workflow.ts';
import { catalog } from '../../catalog/index.ts';
import { dataBlockGroups } from '../../data/blocks.ts';
import { verifyBlock } from '../../data/codec.ts';
import type { SweepResult, SweepRoots } from '../../data/sweep.ts';
import type { Clock } from '../../lib/clock.ts';
import { coalesce } from '../../lib/coalesce.ts';
import { toTabmeshError } from '../../lib/errors.ts';
import type { DeviceId, PeerId } from '../../lib/ids.ts';
import { createListeners } from '../../lib/listeners.ts';
import type { Log } from '../../lib/log.ts';
import { createDoctor } from '../../mesh/doctor/doctor.ts';
import { meshProbes, timeMethod } from '../../mesh/doctor/mesh-probes.ts';
import { spellings } from '../../mesh/doctor/spellings.ts';
import { issueCertificate, verifyCertificate } from '../../mesh/identity/certificate.ts';
import type { DeviceKey } from '../../mesh/identity/device-key.ts';
import type { RoomSecret } from '../../mesh/identity/room-secret.ts';
import type { RelayAccess } from '../../mesh/links/relay-link.ts';
import type { MembershipOptions } from '../../mesh/membership/membership.ts';
import { networkBlocks } from '../../mesh/node/network-blocks.ts';
import type { RelayAddress } from '../../mesh/node/relay-address.ts';
import { isAt } from '../../mesh/node/relay-address.ts';
import type { RoomNode } from '../../mesh/node/room-node.ts';
import { createPresence } from '../../mesh/replica/presence.ts';
import type { RoomReplica } from '../../mesh/replica/replica.ts';
import { createReplicaSync } from '../../mesh/replica/sync.ts';
import { RoomMesh } from '../../mesh/room/room-mesh.ts';
import { RoomRelays } from '../../mesh/room/room-relays.ts';
import { createPrincipals } from '../../mesh/principals/principals.ts';
import { EpochExchange } from '../../mesh/roster/epoch-exchange.ts';
import { EpochNews } from '../../mesh/roster/epoch-news.ts';
import { putOutError } from '../../mesh/roster/put-out.ts';
import { RoomEpochs } from '../../mesh/roster/room-epochs.ts';
import type { ExtraMethod } from '../../mesh/rpc/mcp-server.ts';
import { createMcpServer } from '../../mesh/rpc/mcp-server.ts';
import { Transfers } from '../../mesh/transfer/transfers.ts';
import type { Tool } from '../../tools/define-tool.ts';
import { checkPrincipal, checkScope, closedTo, decideAccess } from '../../tools/access.ts';
import { createGuard } from '../../tools/guard.ts';
import type { LocalTools } from '../../tools/local-tools.ts';
import { createLocalTools } from '../../tools/local-tools.ts';
import { createToolRegistry } from '../../tools/registry.ts';
import type { RoutedTools } from '../../tools/room-tools.ts';
import { createCallFeed, type CallFeed } from '../../tools/watching/feed.ts';
import { collectLiterature } from '../../workflow/templates/collect-literature.ts';
import { RoomDatasets } from './datasets.ts';
import type { BlockHold } from '../../mesh/storage/hold.ts';
import type { DeviceSearch } from './device-search.ts';
import { createPeerProvider } from './mcp-provider.ts';
import { createPorts } from './ports.ts';
import { openRoomAccess } from './room-access.ts';
import type { RoomAccess, RoomAccessOptions } from './room-access.ts';
import { RoomSearch } from './room-search.ts';
import type { RunExecutor } from './run-book.ts';
import { RunBook } from './run-book.ts';
import { RoomMembers } from './room-members.ts';
import { RoomMetrics } from './room-metrics.ts';
import type { DiscoveryPlatform, RoomNetwork } from './room-network.ts';
import { createRoomNetwork } from './room-network.ts';
import { createRoomRouting, DRAIN_MS } from './room-routing.ts';
import { sweepRoom } from './sweep-room.ts';

/** The workflows that this version can run. */
const WORKFLOWS: readonly WorkflowDefinition[] = [collectLiterature];

/**
 * How long a count of served calls may wait to be shown, ms: nobody reads it faster, and drawing every call of thousands a
 * second would cost more than serving it.
 */
const COUNTERS_INTERVAL_MS = 250;

/** How often others are told of this peer's load, battery and links: often enough to route by, a few hundred bytes each. */
const CONDITION_INTERVAL_MS = 10_000;

/** A link that has stood this long is one: a refusal takes a round trip, some of them over a relay. */
const ADMITTED_AFTER_MS = 2_000;

/** What differs between a tab and the relay process. */
export interface RoomPlatform {
  readonly kind: 'tab' | 'relay';
  readonly peer: PeerId;
  readonly deviceKey: DeviceKey;
  /** the device's name as it is now */
  readonly deviceName: () => string;
  /** who made the room; null for one of before rooms had owners */
  readonly origin: RoomOrigin | null;
  /** as this device remembers it */
  readonly secret: RoomSecret;
  /** makes this device remember the room by its new secret */
  readonly remember: (secret: RoomSecret) => Promise<void>;
  /** that the invite or the page names */
  readonly relays: readonly RelayAddress[];
  /** that the invite names on the word of members */
  readonly toldRelays?: readonly RelayAddress[];
  /** whether this peer uses a relay that a member relay tells of; one with an address of its own needs no more */
  readonly usesRelay: (relay: RelayAddress) => boolean;
  /** how members use the relay that this peer belongs to; null when there is none */
  readonly offer?: () => RelayOffer | null;
  readonly access: RelayAccess;
  /** ways to dial this peer besides a relay's circuit */
  readonly addresses: () => readonly string[];
  readonly startNode: (membership: MembershipOptions, relays: () => readonly RelayAddress[]) => Promise<RoomNode>;
  readonly replica: RoomReplica;
  /** what the tabs of the device share of who may do what */
  readonly accessShared: RoomAccessOptions['shared'];
  /** small things that this device stores of the room */
  readonly store: KeyValueStore;
  readonly blocks: BlockStore;
  readonly search: DeviceSearch;
  readonly hold: BlockHold;
  /** deletes the device's blocks that belong to none of these: in a worker in a tab, in-process on Node */
  readonly sweep: (roots: SweepRoots, signal: AbortSignal) => Promise<SweepResult>;
  /** @param publish lists a dataset that a run has written, and indexes it */
  readonly executor: (publish: RoomDatasets['publish']) => RunExecutor;
  /** ways to find peers that only this platform has; it may ask for the room's secret as of then */
  readonly discovery: (secret: () => RoomSecret) => DiscoveryPlatform;
  /** what the doctor looks at on this platform */
  readonly probes: PlatformProbes;
  /** what only this platform can run, besides the catalog */
  readonly ownTools: readonly Tool[];
  /** the audit log of this process; null where there is none */
  readonly audit: AuditPort | null;
  /** what it answers to MCP instead of its own tools, resources and prompts */
  readonly mcp?: McpProvider;
  /** served to members beside MCP */
  readonly methods: Readonly<Record<string, ExtraMethod>>;
  readonly visible: () => boolean;
  /** how the device is doing */
  readonly condition: () => Pick<MeshPeer, 'load' | 'battery'>;
  /** of this program */
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** One peer of one room, whole: what both composition roots build. */
export interface RoomPeer {
  readonly mesh: RoomMesh;
  readonly node: RoomNode;
  readonly tools: RoutedTools;
  readonly local: LocalTools;
  readonly datasets: RoomDatasets;
  readonly search: RoomSearch;
  readonly runs: RunBook;
  readonly replica: RoomReplica;
  readonly members: RoomMembers;
  readonly doctor: DoctorPort;
  readonly access: Omit<RoomAccess, 'guard'>;
  /** this peer's own MCP server */
  readonly mcp: McpProvider;
  /** how calls went here: the relay's metrics and the app read it */
  readonly routing: RoutingPort;
  /** the calls that are made and served here, for who watches */
  readonly calls: Pick<CallFeed, 'watch'>;
  /** how peers were looked for and reached; `finding()` is what the Mesh view shows and a relay's metrics tell */
  readonly finding: Pick<RoomNetwork, 'finding' | 'again' | 'look'>;
  /** the room's secret as of now */
  secret(): RoomSecret;
  /** An invite to the room as of now: with its secret, and with the relays that are known besides those of `invite`. */
  renewInvite(invite: Invite): Invite;
  /** Has this device's entry in the room say how its relay is used now. */
  tellProfile(): Promise<void>;
  /** tells others what changed about this peer: its name, visibility, shard */
  announce(): void;
  subscribe(listener: () => void): () => void;
  close(): Promise<void>;
}

/** Builds and starts a room's peer. @throws when its node cannot start; nothing is left running then */
export async function startRoomPeer(platform: RoomPlatform): Promise<RoomPeer> {
  const { kind, peer, deviceKey, deviceName, secret, replica, clock, log } = platform;
  const changed = createListeners();
  const device = deviceKey.id;
  const self = (): Ports['self'] => ({ peer, device, name: deviceName(), kind });

  const certificate = await issueCertificate(deviceKey, peer, secret.room);
  const epochs = await RoomEpochs.open({ ...platform, store: platform.store });
  const verify = (bytes: Uint8Array, remote: PeerId) => verifyCertificate(bytes, remote, secret.room);
  const exchange = new EpochExchange({ epochs, certificate, verifyCertificate: verify, log });
  const relays = new RoomRelays({
    invited: platform.relays,
    told: platform.toldRelays ?? [],
    keyOf: (relay) => platform.access.key(relay),
    devices: () => Object.values(replica.state().devices),
    admits: (member) => epochs.admits(member),
    usable: platform.usesRelay,
  });
  const membershipOptions: MembershipOptions = {
    secrets: () => ({
      room: secret.room,
      epoch: epochs.secret.epoch,
      joinKey: epochs.keys.joinProof,
      verifyCertificate: async (bytes, remote) => {
        const remoteDevice = await verify(bytes, remote);
        if (epochs.admits(remoteDevice)) return remoteDevice;
        throw putOutError();
      },
    }),
    catchUp: (connection, theirs) => exchange.afterJoin(connection, theirs),
    tellPutOut: (connection) => exchange.tellPutOut(connection),
    certificate,
    kind,
    isRelayAt: (address) => platform.relays.some((relay) => isAt(relay, address)),
    isInfrastructure: (remote, address) => relays.isRelaysOwn(remote, address),
    log,
  };
  const node = await platform.startNode(membershipOptions, () => relays.list());

  const onlineDevices = () => new Set<DeviceId>(mesh.list().map((remote) => remote.place.device));
  const transfers = new Transfers({
    node: node.libp2p,
    membership: node.libp2p.services.membership,
    tree: { blocksOf: dataBlockGroups, verify: (block) => verifyBlock(block, 'the block') },
    local: platform.blocks,
    clock,
  });
  const datasets = new RoomDatasets({
    replica,
    local: platform.blocks,
    network: networkBlocks(node),
    transfers,
    peersOf: (holder) => node.libp2p.services.membership.peersOf(holder),
    search: platform.search,
    hold: platform.hold,
    online: onlineDevices,
    log,
  });
  const runs = new RunBook(
    platform.executor((summary, signal) => datasets.publish(summary, signal)),
    WORKFLOWS,
    platform.hold,
    log,
  );
  const search = new RoomSearch({
    replica,
    datasets,
    search: platform.search,
    mesh: () => mesh,
    self: { peer, device },
    clock,
  });
  const access = await openRoomAccess({
    ...platform,
    room: secret.room,
    admits: (member) => epochs.admits(member),
    shared: platform.accessShared,
  });
  const principals = createPrincipals({
    room: secret.room,
    deviceKey,
    peer,
    membership: node.libp2p.services.membership,
    admits: (member) => epochs.admits(member),
    ask: (caller, method, timeoutMs) => mesh.request(caller, method, {}, { timeoutMs }),
    clock,
  });
  const members = new RoomMembers({ epochs, replica, device, online: () => mesh.peers() });
  const ports = createPorts({
    self,
    members,
    network: () => found.network,
    doctor: () => doctor,
    routing: () => routing.port,
    audit: platform.audit,
    access,
    runs,
    search,
    datasets,
    mesh: () => {
      // a tool that tells of this peer tells the newest counts
      counted.flush();
      return mesh;
    },
    replica,
  });
  const registry = createToolRegistry([...catalog, ...platform.ownTools], log);
  const guard = createGuard({ registry, self: { peer, device }, ...access.guard, clock });
  const metrics = new RoomMetrics(clock);
  const calls = createCallFeed(async (tell) => {
    const { createCallObserver } = await import('../../tools/watching/observer.ts');
    return createCallObserver({ self: peer, clock, tell });
  });
  const local = calls.local(createLocalTools({ registry, guard, ports, clock, book: metrics.served }));
  const memberOf = (remote: PeerId) => node.libp2p.services.membership.linkTo(remote)?.member.device;
  const presence = createPresence({ self: peer, deviceOf: memberOf, clock });
  const news = new EpochNews({
    epochs,
    membership: node.libp2p.services.membership,
    catchUp: async (remote) => {
      const link = node.libp2p.services.membership.linkTo(remote);
      return link !== undefined && (await exchange.catchUp(link.connection));
    },
    tell: (remote, method, params, timeoutMs) => mesh.request(remote, method, params, { timeoutMs }),
    log,
  });
  const found = createRoomNetwork({
    ...platform.discovery(() => epochs.secret),
    self: peer,
    kind,
    relays: () => relays.list(),
    addresses: platform.addresses,
    tools: () => local.list().map((tool) => tool.name),
    node,
    mesh: () => mesh,
    presence,
    onChange: () => {
      changed.notify();
    },
    clock,
    log,
  });
  const mcp =
    platform.mcp ??
    createPeerProvider(local, deviceName, platform.version, {
      self: peer,
      datasets,
      runs,
      room: () => replica.state(),
      peers: () => mesh.peers(),
      tools: () => local.list(),
      mayRead: (principal) => {
        checkPrincipal(principal);
        const serving = { peer, device };
        checkScope('resources', 'read', principal, serving, clock.now());
        const { classAccess } = access.guard;
        const open = classAccess?.() ?? DEFAULT_CLASS_ACCESS;
        const decision = decideAccess('resources', 'read', principal, serving, open);
        if (decision !== 'granted') throw closedTo('resources', 'read');
      },
      subscribe: (listener) => {
        const off = [changed.add(listener), local.subscribe(listener)];
        return () => {
          for (const stop of off) stop();
        };
      },
      clock,
    });
  const mesh: RoomMesh = new RoomMesh({
    node,
    principals,
    self: { peer, device, kind },
    relays: relays.list(),
    access: { ...platform.access, others: (relay) => relays.keys(relay) },
    topic: () => epochs.keys.rendezvous,
    pastTopics: () => epochs.pastTopics,
    addresses: platform.addresses,
    serve: metrics.counting(
      createMcpServer(
        local,
        deviceName,
        platform.version,
        {
          ...platform.methods,
          ...news.methods(),
          ...found.methods,
          ...timeMethod(() => clock.now()),
          ...principals.methods(),
        },
        mcp,
        (value, caller) => principals.read(value, caller),
      ),
    ),
    replica: createReplicaSync({ replica }),
    presence,
    visible: platform.visible,
    refusal: () => exchange.refusal,
    watch: found.watch,
    clock,
    log,
  });
  const doctor = createDoctor({
    kind,
    probes: { ...platform.probes, ...meshProbes({ mesh, node, relays: () => relays.list() }) },
    secrets: () => {
      const keys = relays.list().flatMap((relay) => relays.keys(relay.peer));
      return [epochs.secret.secret, ...keys].flatMap(spellings);
    },
    clock,
  });
  const routing = createRoomRouting({
    room: secret.room,
    self,
    registry,
    local,
    mesh,
    replica,
    store: platform.store,
    condition: platform.condition,
    metrics,
    clock,
    log,
  });
  const tools = calls.routed(routing.tools);

  const since = clock.now();
  const announce = () => {
    const segments = Object.values(replica.state().devices[device]?.segments ?? {});
    mesh.setPresence({
      peer,
      device,
      name: deviceName(),
      kind,
      visible: platform.visible(),
      tools: local.list().map((tool) => tool.name),
      shardRecords: segments.reduce((sum, segment) => sum + segment.count, 0),
      served: local.counters.served(),
      ...platform.condition(),
      links: mesh.links(),
      since,
    });
  };
  const closing = new AbortController();
  const counted = coalesce(announce, COUNTERS_INTERVAL_MS, clock, closing.signal);
  let indexed = segmentKey(replica, device);
  /** another tab of this device may have indexed or deleted something */
  const followSegments = () => {
    const now = segmentKey(replica, device);
    if (now === indexed) return;
    indexed = now;
    platform.search.reload(closing.signal).catch((error: unknown) => {
      if (!closing.signal.aborted) log.warn('index not reloaded', { reason: toTabmeshError(error).message });
    });
  };
  const followRelays = () => {
    if (!relays.refresh()) return;
    mesh.useRelays(relays.list()).catch((error: unknown) => {
      log.error('relays not changed', { reason: toTabmeshError(error).message });
    });
  };
  const tellProfile = () => {
    const offer = platform.offer?.() ?? null;
    return replica.setProfile({ name: deviceName(), kind, ...(offer === null ? {} : { relay: offer }) });
  };
  /** who refuses this device says so a moment after its proof */
  const admittedIfItStays = async (member: PeerId) => {
    await clock.sleep(ADMITTED_AFTER_MS, closing.signal).catch(() => undefined);
    if (node.libp2p.services.membership.linkTo(member) === undefined) return;
    exchange.admitted();
    changed.notify();
  };
  let topic = epochs.keys.rendezvous;
  const unsubscribe = [
    node.libp2p.services.membership.subscribe(({ type, link }) => {
      if (type === 'opened') void admittedIfItStays(link.member.peer);
    }),
    replica.subscribe(() => {
      followSegments();
      followRelays();
      announce();
      changed.notify();
    }),
    local.counters.subscribe(() => {
      counted.soon();
    }),
    mesh.subscribe(() => {
      changed.notify();
    }),
    runs.subscribe(() => {
      changed.notify();
    }),
    epochs.subscribe(() => {
      followRelays();
      changed.notify();
      if (epochs.keys.rendezvous === topic) return;
      topic = epochs.keys.rendezvous;
      mesh.rejoin().catch((error: unknown) => {
        log.error('relays not told of the new secret', { reason: toTabmeshError(error).message });
      });
    }),
  ];

  const conditionLoop = async () => {
    while (!closing.signal.aborted) {
      await clock.sleep(CONDITION_INTERVAL_MS, closing.signal);
      announce();
      metrics.sample(mesh.list().length, platform.condition().load);
      metrics.cleanUp();
    }
  };
  conditionLoop().catch((thrown: unknown) => {
    if (!closing.signal.aborted) log.error('condition not told', { reason: toTabmeshError(thrown).message });
  });

  let swept = Promise.resolve();
  const close = async () => {
    await tools.close(DRAIN_MS);
    routing.stop();
    metrics.flush();
    for (const stop of unsubscribe) stop();
    news.stop();
    found.stop();
    closing.abort();
    runs.close();
    await swept;
    await mesh.stop();
    await replica.close();
  };
  try {
    announce();
    const { membership } = node.libp2p.services;
    await exchange.start(node.libp2p, ({ id }) => membership.links().some(({ connection }) => connection.id === id));
    await transfers.start();
    await Promise.all([tellProfile(), mesh.start(), runs.load()]);
  } catch (error) {
    await close();
    throw error;
  }
  found.start();
  swept = sweepRoom({ ...platform, runs }, closing.signal);
  return {
    mesh,
    node,
    tools,
    local,
    datasets,
    search,
    runs,
    replica,
    members,
    doctor,
    access,
    mcp,
    routing: routing.port,
    calls,
    finding: found,
    secret: () => epochs.secret,
    renewInvite: (invite) => relays.extend({ ...invite, ...epochs.secret }),
    tellProfile,
    announce,
    subscribe: (listener) => changed.add(listener),
    close,
  };
}

function segmentKey(replica: RoomReplica, device: DeviceId): string {
  return Object.keys(replica.state().devices[device]?.segments ?? {})
    .sort()
    .join(' ');
}
