import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys';
import type { PrivateKey } from '@libp2p/interface';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { join } from 'node:path';
import type { AuditPort, AuditSink } from '../../contracts/audit.ts';
import type { FetchPort } from '../../contracts/fetch.ts';
import type { McpProvider } from '../../contracts/mcp.ts';
import type { KeyValueStore } from '../../contracts/kv.ts';
import type { Invite } from '../../contracts/mesh.ts';
import type { RelayOffer } from '../../contracts/replica.ts';
import { relayCatalog } from '../../catalog/relay.ts';
import { sweepBlocks } from '../../data/sweep.ts';
import type { Clock } from '../../lib/clock.ts';
import type { PeerId } from '../../lib/ids.ts';
import type { Log } from '../../lib/log.ts';
import type { DeviceKey } from '../../mesh/identity/device-key.ts';
import { createFileRecordStore } from '../../mesh/discovery/record-file.node.ts';
import { friendlyName } from '../../mesh/identity/names.ts';
import type { RoomSecret } from '../../mesh/identity/room-secret.ts';
import { IceServers } from '../../mesh/access/ice-servers.ts';
import type { RelayAccess } from '../../mesh/links/relay-link.ts';
import { roomGater } from '../../mesh/node/gater.ts';
import { HandedSockets } from '../../mesh/node/handed-sockets.node.ts';
import type { RelayAddress } from '../../mesh/node/relay-address.ts';
import { startHeadlessNode } from '../../mesh/node/room-node.node.ts';
import { createReplica } from '../../mesh/replica/replica.ts';
import type { ExtraMethod } from '../../mesh/rpc/mcp-server.ts';
import { openFsBlocks } from '../../mesh/storage/blocks-fs.node.ts';
import { asHeliaBlockstore } from '../../mesh/storage/helia-blocks.ts';
import { createProcessHold } from '../../mesh/storage/hold.ts';
import { openFileStore } from '../../mesh/storage/kv-file.node.ts';
import { createProcessLock } from '../../mesh/storage/lock.ts';
import { createShardSearch } from '../../search/shard.ts';
import { NO_CHANNEL } from '../../tools/approvals/class-access.ts';
import { loadShard } from '../room/load-shard.ts';
import { indexDataset } from '../room/local-search.ts';
import type { RoomPeer } from '../room/room-peer.ts';
import { startRoomPeer } from '../room/room-peer.ts';
import { createProcessExecutor } from './executor.ts';
import type { OutsideServices } from './outside.ts';
import { headlessDiscovery } from './outside.ts';
import { nodeProbes } from './probes.ts';
import { createProcessLoad } from './process-load.ts';

const PEER_KEY = 'peer/key';

export interface HeadlessRoomOptions {
  readonly invite: Invite;
  /** makes the device remember the room by its new secret */
  readonly remember: (secret: RoomSecret) => Promise<void>;
  /** folder of this room's data */
  readonly folder: string;
  readonly deviceKey: DeviceKey;
  readonly relays: readonly RelayAddress[];
  /** the one of them that runs in this process; none when absent */
  readonly ownRelay?: PeerId;
  /** how members use it */
  readonly offer?: () => RelayOffer;
  /** the key that a relay lets this peer in with; null when it has none */
  readonly accessKey: RelayAccess['key'];
  /** where others find it: at its own address, as a tab through relays and by WebRTC, or either way; the first when absent */
  readonly reach?: 'address' | 'relays' | 'address and relays';
  /** what it is called before the friendly name of its device; a relay when absent */
  readonly title?: string;
  /** public addresses of this peer, without its id; its id is given so that a path can carry it */
  readonly announce: (peer: PeerId) => readonly string[];
  readonly fetch: FetchPort;
  /** contact address that upstream services ask for */
  readonly email: string;
  readonly methods: Readonly<Record<string, ExtraMethod>>;
  /** what it answers to MCP instead of its own tools, resources and prompts */
  readonly mcp?: McpProvider;
  /** none when absent */
  readonly outside?: OutsideServices;
  /** the audit log of this process */
  readonly audit: AuditPort & AuditSink;
  /** of this program */
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** A room's headless peer, running. */
export interface HeadlessRoom {
  readonly room: RoomPeer;
  readonly peer: PeerId;
  /** serves a WebSocket that was opened at a port of this process. @throws `no_place` when it does not listen */
  readonly take: HandedSockets['take'];
  close(): Promise<void>;
}

/** Starts the peer of a room in a Node process: the composition root beside the tab's. */
export async function startHeadlessRoom(options: HeadlessRoomOptions): Promise<HeadlessRoom> {
  const { invite, folder, deviceKey, relays, reach = 'address', title = 'Relay', fetch, email, clock, log } = options;
  const store = await openFileStore(join(folder, 'store'));
  try {
    const privateKey = await loadPeerKey(store);
    const peer = peerIdFromPrivateKey(privateKey).toString() as PeerId;
    const addresses = options.announce(peer);
    const load = createProcessLoad();
    const listens = reach !== 'relays';
    const throughRelays = reach !== 'address';
    // none of its own: it uses those that its relays hand out
    const ice = new IceServers({ stun: [], turn: [] }, () => clock.now());
    const sockets = new HandedSockets();
    const known = createFileRecordStore(join(folder, 'peer_registry.json'), () => clock.now());
    const namedHosts = new Set<string>();
    const blocks = await openFsBlocks(join(folder, 'blocks'));
    const secret = { room: invite.room, epoch: invite.epoch, secret: invite.secret };
    const replica = await createReplica({ room: invite.room, deviceKey, store, lock: createProcessLock(), log });
    const shard = createShardSearch({ store, clock });
    await loadShard(shard, log);
    const room = await startRoomPeer({
      kind: 'relay',
      peer,
      deviceKey,
      deviceName: () => `${title} ${friendlyName(deviceKey.id)}`,
      secret,
      origin: invite.origin,
      remember: options.remember,
      relays,
      // others find it whichever relay introduces it; it dials what its invite names, and no more
      usesRelay: () => false,
      ...(options.offer === undefined ? {} : { offer: options.offer }),
      access: {
        key: options.accessKey,
        granted: (relay, grant) => {
          ice.granted(relay, grant);
        },
      },
      addresses: () => addresses.map((address) => `${address}/p2p/${peer}`),
      throughRelays,
      startNode: (membership) =>
        startHeadlessNode({
          ways: { listens, throughRelays: throughRelays ? ice : null },
          privateKey,
          sockets,
          blockstore: asHeliaBlockstore(blocks),
          membership,
          gater: roomGater(() => relays, namedHosts),
          announce: [...addresses],
        }),
      replica,
      store,
      blocks,
      hold: createProcessHold(),
      sweep: (roots, signal) => sweepBlocks(blocks, roots, { clock, signal }),
      search: {
        reload: (signal) => loadShard(shard, log, signal),
        index: (dataset, signal) => indexDataset(dataset, blocks, shard, signal),
        remove: (dataset, signal) => shard.removeSegment(dataset, signal),
        search: (request, signal) => shard.search(request, signal),
        related: (recordId, topK, signal) => shard.related(recordId, topK, signal),
      },
      executor: (publish) =>
        createProcessExecutor({
          store,
          blocks,
          fetch,
          email,
          device: deviceKey.id,
          clock,
          log,
          publish,
        }),
      discovery: (now) => ({ ...headlessDiscovery(known, options.outside ?? {}, now, clock, log), namedHosts }),
      probes: nodeProbes({
        folder,
        stun: options.outside?.stun ?? [],
        iceServers: throughRelays ? () => ice.list() : null,
        ownRelay: options.ownRelay ?? null,
        now: () => clock.now(),
      }),
      methods: options.methods,
      accessShared: { lock: createProcessLock(), channel: NO_CHANNEL },
      ...(options.mcp === undefined ? {} : { mcp: options.mcp }),
      audit: options.audit,
      ownTools: relayCatalog,
      visible: () => true,
      condition: () => ({ load: load(), battery: null }),
      version: options.version,
      clock,
      log,
    });
    return {
      room,
      peer,
      take: (...upgrade) => {
        sockets.take(...upgrade);
      },
      async close() {
        await room.close();
        await known.settled();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function loadPeerKey(store: KeyValueStore): Promise<PrivateKey> {
  const stored = await store.get<Uint8Array>(PEER_KEY);
  if (stored !== undefined) return privateKeyFromProtobuf(stored);
  const made = await generateKeyPair('Ed25519');
  await store.put(PEER_KEY, privateKeyToProtobuf(made));
  return made;
}
