import type { AuditActor, AuditPort } from '../../contracts/audit.ts';
import type { DoctorPort } from '../../contracts/doctor.ts';
import type { McpProvider } from '../../contracts/mcp.ts';
import type { Invite } from '../../contracts/mesh.ts';
import type { Ports } from '../../contracts/ports.ts';
import type { RoutingPort } from '../../contracts/routing.ts';
import { createListeners } from '../../lib/listeners.ts';
import { createDoctor } from '../../mesh/doctor/doctor.ts';
import { meshProbes, timeMethod } from '../../mesh/doctor/mesh-probes.ts';
import { spellings } from '../../mesh/doctor/spellings.ts';
import type { RoomSecret } from '../../mesh/identity/room-secret.ts';
import type { RoomNode } from '../../mesh/node/room-node.ts';
import { createPrincipals } from '../../mesh/principals/principals.ts';
import { createPresence } from '../../mesh/replica/presence.ts';
import type { RoomReplica } from '../../mesh/replica/replica.ts';
import { createReplicaSync } from '../../mesh/replica/sync.ts';
import { RoomMesh } from '../../mesh/room/room-mesh.ts';
import { EpochNews } from '../../mesh/roster/epoch-news.ts';
import { RoomEpochs } from '../../mesh/roster/room-epochs.ts';
import { createMcpServer } from '../../mesh/rpc/mcp-server.ts';
import type { LocalTools } from '../../tools/local-tools.ts';
import type { RoutedTools } from '../../tools/room-tools.ts';
import { createCallFeed, type CallFeed } from '../../tools/watching/feed.ts';
import type { RoomDatasets } from './datasets.ts';
import { enterRoom } from './enter-room.ts';
import { createPorts } from './ports.ts';
import type { RoomAccess } from './room-access.ts';
import { openRoomAccess } from './room-access.ts';
import { createRoomContent } from './room-content.ts';
import { RoomMembers } from './room-members.ts';
import { RoomMetrics } from './room-metrics.ts';
import type { RoomNetwork } from './room-network.ts';
import { createRoomNetwork } from './room-network.ts';
import type { RoomPlatform } from './room-platform.ts';
import { createRoomRouting, DRAIN_MS } from './room-routing.ts';
import type { RoomSearch } from './room-search.ts';
import { createRoomServing } from './room-serving.ts';
import { RoomUpkeep } from './room-upkeep.ts';
import type { RunBook } from './run-book.ts';

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
  /** what was asked of this device, and decided here */
  readonly audit: AuditPort;
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
  const onChange = () => {
    changed.notify();
  };
  const device = deviceKey.id;
  const self = (): Ports['self'] => ({ peer, device, name: deviceName(), kind });
  const me = (): AuditActor => ({ kind: 'device', id: device, name: deviceName() });

  const epochs = await RoomEpochs.open(platform);
  const admits: RoomEpochs['admits'] = (member) => epochs.admits(member);
  const shared = platform.accessShared;
  const access = await openRoomAccess({ ...platform, room: secret.room, admits, shared, me });
  // the last step that may fail: nothing has to be stopped when one before it does
  const entry = await enterRoom(platform, epochs);
  const { node, exchange, relays } = entry;
  const { membership } = node.libp2p.services;

  const metrics = new RoomMetrics(clock);
  // nobody looks at the calls of a process
  const calls = createCallFeed({ self: peer, clock, remembers: kind === 'tab' });
  const content = createRoomContent({ platform, node, mesh: () => mesh, calls });
  const { transfers, datasets, runs, search } = content;
  const principals = createPrincipals({
    room: secret.room,
    deviceKey,
    peer,
    membership,
    admits,
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
      upkeep.flushCounts();
      return mesh;
    },
    replica,
  });
  const { registry, local, mcp } = createRoomServing({
    platform,
    access,
    ports,
    content,
    metrics,
    calls,
    peers: () => mesh.peers(),
    watch: (listener) => changed.add(listener),
  });
  const presence = createPresence({
    self: peer,
    deviceOf: (remote) => membership.linkTo(remote)?.member.device,
    clock,
  });
  const news = new EpochNews({
    epochs,
    membership,
    catchUp: async (remote) => {
      const link = membership.linkTo(remote);
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
    throughRelays: platform.throughRelays,
    tools: () => local.list().map((tool) => tool.name),
    node,
    mesh: () => mesh,
    presence,
    onChange,
    clock,
    log,
  });
  const methods = {
    ...platform.methods,
    ...news.methods(),
    ...found.methods,
    ...timeMethod(() => clock.now()),
    ...principals.methods(),
  };
  const mesh: RoomMesh = new RoomMesh({
    node,
    principals,
    self: { peer, device },
    relays: relays.list(),
    access: { ...platform.access, others: (relay) => relays.keys(relay) },
    topic: () => epochs.keys.rendezvous,
    pastTopics: () => epochs.pastTopics,
    addresses: platform.addresses,
    throughRelays: platform.throughRelays,
    serve: metrics.counting(
      createMcpServer(local, deviceName, platform.version, methods, mcp, (value, caller) =>
        principals.read(value, caller),
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
  const upkeep = new RoomUpkeep({ platform, entry, mesh, local, runs, metrics, onChange });

  const close = async () => {
    await tools.close(DRAIN_MS);
    routing.stop();
    metrics.flush();
    news.stop();
    found.stop();
    const kept = upkeep.stop();
    runs.close();
    await kept;
    await mesh.stop();
    await replica.close();
  };
  try {
    upkeep.start();
    await exchange.start(node.libp2p, ({ id }) => membership.links().some(({ connection }) => connection.id === id));
    await transfers.start();
    await Promise.all([upkeep.tellProfile(), mesh.start(), runs.load()]);
  } catch (error) {
    await close();
    throw error;
  }
  found.start();
  upkeep.tidy();
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
    audit: platform.audit,
    finding: found,
    secret: () => epochs.secret,
    renewInvite: (invite) => relays.extend({ ...invite, ...epochs.secret }),
    tellProfile: () => upkeep.tellProfile(),
    announce: () => {
      upkeep.announce();
    },
    subscribe: (listener) => changed.add(listener),
    close,
  };
}
