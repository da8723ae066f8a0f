import { generateKeyPair } from '@libp2p/crypto/keys';
import type { Connection, Libp2p } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { webSockets } from '@libp2p/websockets';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { MemoryBlockstore } from 'blockstore-core';
import { identify } from '@libp2p/identify';
import { createLibp2p } from 'libp2p';
import type { PeerId } from '../../src/lib/ids.ts';
import type { Log } from '../../src/lib/log.ts';
import { silentLog } from '../../src/lib/log.ts';
import { loadDeviceKey } from '../../src/mesh/identity/device-key.ts';
import { issueCertificate, verifyCertificate } from '../../src/mesh/identity/certificate.ts';
import type { RoomSecret } from '../../src/mesh/identity/room-secret.ts';
import { deriveRoomKeys } from '../../src/mesh/identity/room-secret.ts';
import type { RoomNode } from '../../src/mesh/node/room-node.ts';
import { createMemoryStore } from '../../src/mesh/storage/kv-memory.ts';
import { createProcessLock } from '../../src/mesh/storage/lock.ts';
import { startHeadlessNode } from '../../src/mesh/node/room-node.node.ts';

/** How long a test node waits for a proof: short, so that tests of refusal are quick, and long enough for a busy machine. */
const TEST_JOIN_TIMEOUT_MS = 2_000;

/** A headless node of a room on a free loopback port. */
export async function startTestNode(
  room: RoomSecret,
  options: { log?: Log; joinTimeoutMs?: number; isRelayAt?: () => boolean } = {},
): Promise<{ node: RoomNode; address: string; blockstore: MemoryBlockstore }> {
  const privateKey = await generateKeyPair('Ed25519');
  const peer = peerIdFromPrivateKey(privateKey).toString() as PeerId;
  const device = await loadDeviceKey({ store: createMemoryStore(), lock: createProcessLock() });
  const blockstore = new MemoryBlockstore();
  const node = await startHeadlessNode({
    privateKey,
    blockstore,
    gater: { denyDialMultiaddr: () => false },
    membership: {
      secrets: () => ({
        room: room.room,
        epoch: room.epoch,
        joinKey: deriveRoomKeys(room).joinProof,
        verifyCertificate: (bytes, remote) => verifyCertificate(bytes, remote, room.room),
      }),
      certificate: await issueCertificate(device, peer, room.room),
      kind: 'relay',
      isInfrastructure: () => false,
      isRelayAt: options.isRelayAt ?? (() => true),
      log: options.log ?? silentLog,
      joinTimeoutMs: options.joinTimeoutMs ?? TEST_JOIN_TIMEOUT_MS,
    },
  });
  const port = node.libp2p.services.listenPort.port();
  return { node, blockstore, address: `/ip4/127.0.0.1/tcp/${String(port)}/ws/p2p/${peer}` };
}

/** Dials and waits for the proof. */
export async function link(from: RoomNode, address: string): Promise<Connection> {
  const connection = await from.libp2p.dial(multiaddr(address));
  await from.libp2p.services.membership.proven(connection);
  return connection;
}

/** A libp2p node that knows an address and nothing of any room; it announces what it is told to. */
export async function startStranger(): Promise<Libp2p> {
  return createLibp2p({
    transports: [webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    services: { identify: identify() },
  });
}
