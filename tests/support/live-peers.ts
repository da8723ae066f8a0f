import { generateKeyPair } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { MemoryBlockstore } from 'blockstore-core';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FetchPort } from '../../src/contracts/fetch.ts';
import type { Invite } from '../../src/contracts/mesh.ts';
import { systemClock, type Clock } from '../../src/lib/clock.ts';
import { TabmeshError } from '../../src/lib/errors.ts';
import type { PeerId } from '../../src/lib/ids.ts';
import { silentLog } from '../../src/lib/log.ts';
import { issueCertificate, verifyCertificate } from '../../src/mesh/identity/certificate.ts';
import { loadDeviceKey, type DeviceKey } from '../../src/mesh/identity/device-key.ts';
import { deriveRoomKeys } from '../../src/mesh/identity/room-secret.ts';
import type { RelayAccess } from '../../src/mesh/links/relay-link.ts';
import { parseRelayAddress } from '../../src/mesh/node/relay-address.ts';
import { startHeadlessNode } from '../../src/mesh/node/room-node.node.ts';
import { createPrincipals } from '../../src/mesh/principals/principals.ts';
import { createPresence } from '../../src/mesh/replica/presence.ts';
import { createReplica } from '../../src/mesh/replica/replica.ts';
import { createReplicaSync } from '../../src/mesh/replica/sync.ts';
import { RoomMesh } from '../../src/mesh/room/room-mesh.ts';
import { createMcpServer, type ServedTools } from '../../src/mesh/rpc/mcp-server.ts';
import { createMemoryStore } from '../../src/mesh/storage/kv-memory.ts';
import { createProcessLock } from '../../src/mesh/storage/lock.ts';
import { startHeadlessRoom, type HeadlessRoom, type HeadlessRoomOptions } from '../../src/peer/node/start-room.ts';
import { memoryAudit } from './audit.ts';
import type { LiveRelay } from './live-relay.ts';

/** Whatever is to be ended when a test file has run, last started first. */
export class Cleanups {
  readonly #steps: (() => unknown)[] = [];

  add(step: () => unknown): void {
    this.#steps.push(step);
  }

  async run(): Promise<void> {
    for (const step of this.#steps.splice(0).reverse()) await step();
  }
}

const newDevice = () => loadDeviceKey({ store: createMemoryStore(), lock: createProcessLock() });

const NO_NETWORK: FetchPort = {
  get: () => Promise.reject(new TabmeshError('upstream_unreachable', 'this peer has no network')),
};

export interface MemberOptions {
  /** the relay's own room when absent */
  readonly invite?: Invite;
  readonly clock?: Clock;
  /** its way to the services; none when absent */
  readonly fetch?: FetchPort;
  /** what it was when it was here before; somebody new when absent */
  readonly home?: MemberHome;
  /** where others find it; at its address when absent */
  readonly reach?: HeadlessRoomOptions['reach'];
  /** the addresses that it says it has; none when absent */
  readonly announce?: readonly string[];
}

/** What a member keeps while it is away. */
export interface MemberHome {
  readonly folder: string;
  readonly deviceKey: DeviceKey;
  /** as the device remembers it */
  invite: Invite;
}

/** Gets into relays by the keys of an invite. */
const accessFrom = (invite: () => Invite): RelayAccess => ({
  key: (relay) => invite().access[relay] ?? null,
  granted: () => undefined,
});

/** A device that can come and go. */
export async function memberHome(live: LiveRelay, cleanups: Cleanups): Promise<MemberHome> {
  const folder = await mkdtemp(join(tmpdir(), 'tabmesh-peer-'));
  cleanups.add(() => rm(folder, { recursive: true, force: true }));
  return { folder, deviceKey: await newDevice(), invite: live.invite };
}

/** A whole peer, as Tabmesh has them, that meets its room at a live relay. */
export async function startMember(
  live: LiveRelay,
  cleanups: Cleanups,
  { invite, clock = systemClock, fetch = NO_NETWORK, home, reach = 'address', announce = [] }: MemberOptions = {},
): Promise<HeadlessRoom> {
  const device = home ?? (await memberHome(live, cleanups));
  if (invite !== undefined) device.invite = invite;
  const peer = await startHeadlessRoom({
    invite: device.invite,
    remember: (secret) => {
      device.invite = { ...device.invite, ...secret };
      return Promise.resolve();
    },
    folder: device.folder,
    deviceKey: device.deviceKey,
    relays: [parseRelayAddress(live.address)],
    accessKey: (relay) => device.invite.access[relay] ?? null,
    reach,
    announce: () => announce,
    fetch,
    email: 'test@tabmesh.invalid',
    methods: {},
    audit: memoryAudit(clock),
    version: '0',
    clock,
    log: silentLog,
  });
  cleanups.add(() => peer.close());
  return peer;
}

/**
 * A peer of a live relay's room that serves these tools and nothing else, with no guard but theirs.
 * @returns its id
 */
export async function startToolPeer(live: LiveRelay, cleanups: Cleanups, tools: ServedTools): Promise<PeerId> {
  const { invite } = live;
  const privateKey = await generateKeyPair('Ed25519');
  const peer = peerIdFromPrivateKey(privateKey).toString() as PeerId;
  const deviceKey = await newDevice();
  const keys = deriveRoomKeys(invite);
  const relay = parseRelayAddress(live.address);
  const node = await startHeadlessNode({
    privateKey,
    blockstore: new MemoryBlockstore(),
    gater: { denyDialMultiaddr: () => false },
    membership: {
      secrets: () => ({
        room: invite.room,
        epoch: invite.epoch,
        joinKey: keys.joinProof,
        verifyCertificate: (bytes, remote) => verifyCertificate(bytes, remote, invite.room),
      }),
      certificate: await issueCertificate(deviceKey, peer, invite.room),
      kind: 'tab',
      isRelayAt: () => true,
      isInfrastructure: (remote) => remote === relay.peer,
      log: silentLog,
    },
  });
  const replica = await createReplica({
    room: invite.room,
    deviceKey,
    store: createMemoryStore(),
    lock: createProcessLock(),
  });
  const { membership } = node.libp2p.services;
  const principals = createPrincipals({
    room: invite.room,
    deviceKey,
    peer,
    membership,
    admits: () => true,
    ask: (caller, method, timeoutMs) => mesh.request(caller, method, {}, { timeoutMs }),
    clock: systemClock,
  });
  const mesh: RoomMesh = new RoomMesh({
    refusal: () => null,
    node,
    principals,
    self: { peer, device: deviceKey.id },
    relays: [relay],
    access: accessFrom(() => invite),
    topic: () => keys.rendezvous,
    pastTopics: () => [],
    addresses: () => [],
    throughRelays: false,
    serve: createMcpServer(
      tools,
      () => 'tool peer',
      '0',
      principals.methods(),
      undefined,
      (value, caller) => principals.read(value, caller),
    ),
    replica: createReplicaSync({ replica }),
    presence: createPresence({
      self: peer,
      deviceOf: (remote) => membership.linkTo(remote)?.member.device,
      clock: systemClock,
    }),
    visible: () => true,
    clock: systemClock,
    log: silentLog,
  });
  mesh.setPresence({
    peer,
    device: deviceKey.id,
    name: 'tool peer',
    kind: 'tab',
    visible: true,
    tools: tools.list().map(({ name }) => name),
    shardRecords: 0,
    served: {},
    load: null,
    battery: null,
    links: [],
    since: 0,
  });
  await mesh.start();
  cleanups.add(async () => {
    await mesh.stop();
    await replica.close();
  });
  return peer;
}
