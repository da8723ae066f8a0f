import { generateKeyPair } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Invite } from '../../src/contracts/mesh.ts';
import type { IceServer } from '../../src/contracts/relay.ts';
import type { Principal } from '../../src/contracts/tools.ts';
import { systemClock, type Clock } from '../../src/lib/clock.ts';
import { TabmeshError } from '../../src/lib/errors.ts';
import type { PeerId } from '../../src/lib/ids.ts';
import { silentLog, type Log } from '../../src/lib/log.ts';
import { nodeIceServers } from '../../src/mesh/access/ice-servers.node.ts';
import { createFileRecordStore } from '../../src/mesh/discovery/record-file.node.ts';
import { IceServers } from '../../src/mesh/access/ice-servers.ts';
import { roomGater } from '../../src/mesh/node/gater.ts';
import { startTabNode } from '../../src/mesh/node/room-node.browser.ts';
import { createReplica } from '../../src/mesh/replica/replica.ts';
import { openFsBlocks } from '../../src/mesh/storage/blocks-fs.node.ts';
import { asHeliaBlockstore } from '../../src/mesh/storage/helia-blocks.ts';
import { createProcessHold } from '../../src/mesh/storage/hold.ts';
import { createMemoryStore } from '../../src/mesh/storage/kv-memory.ts';
import { createProcessLock } from '../../src/mesh/storage/lock.ts';
import { createProcessExecutor } from '../../src/peer/node/executor.ts';
import { headlessDiscovery } from '../../src/peer/node/outside.ts';
import { nodeProbes } from '../../src/peer/node/probes.ts';
import { readRelays } from '../../src/peer/room/read-relays.ts';
import { startRoomPeer, type RoomPeer } from '../../src/peer/room/room-peer.ts';
import { createShardSearch } from '../../src/search/shard.ts';
import { sweepBlocks } from '../../src/data/sweep.ts';
import { NO_CHANNEL } from '../../src/tools/approvals/class-access.ts';
import type { Cleanups } from './live-peers.ts';
import { newDevice } from './replica.ts';
import { memoryAudit } from './audit.ts';

/** A member tells its tools in a round trip or two. */
const OFFERS_MS = 15_000;

/** A peer that is reached as a tab is, through relays and by WebRTC, in this process. */
export interface TabPeer {
  readonly peer: PeerId;
  readonly room: RoomPeer;
  /** the peers that it has proven links with, each with what kind of link */
  links(): Readonly<Record<string, string>>;
  /** Calls `echo` at another peer. @throws what went wrong */
  echo(place: PeerId, text: string): Promise<unknown>;
  close(): Promise<void>;
}

export interface TabPeerOptions {
  readonly log?: Log;
  readonly clock?: Clock;
  /** a relay has let it in, and told of these STUN and TURN servers */
  readonly onGranted?: (ice: readonly IceServer[]) => void;
}

/** Starts a {@link TabPeer} with all that a tab has, but for the page. */
export async function startTabPeer(
  invite: Invite,
  cleanups: Cleanups,
  { log = silentLog, clock = systemClock, onGranted }: TabPeerOptions = {},
): Promise<TabPeer> {
  const folder = await mkdtemp(join(tmpdir(), 'tabmesh-tab-'));
  cleanups.add(() => rm(folder, { recursive: true, force: true }));
  const privateKey = await generateKeyPair('Ed25519');
  const peer = peerIdFromPrivateKey(privateKey).toString() as PeerId;
  const deviceKey = await newDevice();
  const store = createMemoryStore();
  const blocks = await openFsBlocks(join(folder, 'blocks'));
  const replica = await createReplica({ room: invite.room, deviceKey, store, lock: createProcessLock(), log });
  const shard = createShardSearch({ store, clock });
  const ice = new IceServers({ stun: [], turn: [] }, () => clock.now());
  const known = createFileRecordStore(join(folder, 'peer_registry.json'), () => clock.now());
  const namedHosts = new Set<string>();
  const none = () => Promise.reject(new TabmeshError('upstream_unreachable', 'this peer has no network'));
  const room = await startRoomPeer({
    kind: 'tab',
    peer,
    deviceKey,
    deviceName: () => `tab ${peer.slice(-4)}`,
    secret: { room: invite.room, epoch: invite.epoch, secret: invite.secret },
    origin: invite.origin,
    remember: () => Promise.resolve(),
    relays: readRelays(invite.relays, log),
    toldRelays: readRelays(invite.told ?? [], log),
    usesRelay: () => true,
    access: {
      key: (relay) => invite.access[relay] ?? null,
      granted: (relay, grant) => {
        ice.granted(relay, grant);
        onGranted?.(grant.ice);
      },
    },
    addresses: () => [],
    throughRelays: true,
    startNode: (membership, relays) =>
      startTabNode({
        privateKey,
        blockstore: asHeliaBlockstore(blocks),
        membership,
        gater: roomGater(relays, namedHosts),
        ice: { list: () => nodeIceServers(ice.list()) },
      }),
    replica,
    store,
    blocks,
    hold: createProcessHold(),
    sweep: (roots, signal) => sweepBlocks(blocks, roots, { clock, signal }),
    search: {
      reload: () => Promise.resolve(),
      index: none,
      remove: none,
      search: (request, signal) => shard.search(request, signal),
      related: (recordId, topK, signal) => shard.related(recordId, topK, signal),
    },
    executor: (publish) =>
      createProcessExecutor({
        store,
        blocks,
        fetch: { get: none },
        email: 'test@tabmesh.invalid',
        device: deviceKey.id,
        clock,
        log,
        publish,
      }),
    discovery: (secret) => ({ ...headlessDiscovery(known, {}, secret, clock, log), namedHosts }),
    probes: nodeProbes({ folder, stun: [], iceServers: () => ice.list(), ownRelay: null, now: () => clock.now() }),
    ownTools: [],
    audit: memoryAudit(clock, store),
    methods: {},
    accessShared: { lock: createProcessLock(), channel: NO_CHANNEL },
    visible: () => true,
    condition: () => ({ load: null, battery: null }),
    version: '0',
    clock,
    log,
  });
  let open = true;
  const close = async () => {
    if (!open) return;
    open = false;
    await room.close();
    await known.settled();
  };
  cleanups.add(close);
  const principal: Principal = { kind: 'device', device: deviceKey.id, peer };
  return {
    peer,
    room,
    links: () =>
      Object.fromEntries(
        room.mesh
          .peers()
          .filter(({ link }) => link === 'direct' || link === 'relayed')
          .map((other) => [other.peer, other.link]),
      ),
    async echo(place, text) {
      // what a member offers is known a moment after it is linked
      if (place !== peer)
        await until(room, () => room.mesh.list().some((other) => other.place.peer === place && other.tools.length > 0));
      const answer = await room.tools.call({ tool: 'echo', args: { text }, principal, place });
      if (!answer.ok) throw new Error(answer.error.message);
      return answer.value;
    },
    close,
  };
}

/** Waits for something to become so in a room. @throws when it takes too long */
async function until(room: RoomPeer, isSo: () => boolean): Promise<void> {
  const changed = Promise.withResolvers<undefined>();
  const look = () => {
    if (isSo()) changed.resolve(undefined);
  };
  const unsubscribe = room.mesh.subscribe(look);
  const timer = setTimeout(() => {
    changed.reject(new Error('the member offers nothing'));
  }, OFFERS_MS);
  try {
    look();
    await changed.promise;
  } finally {
    clearTimeout(timer);
    unsubscribe();
  }
}
