// A peer of a room in a process of its own, reached as a tab is: through a relay's circuit and by WebRTC.
// Argument: JSON of {invite, stun}. Tells what happens as JSON lines; reads `call PEER` lines.
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2';
import { generateKeyPair } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { webRTC } from '@libp2p/webrtc';
import { MemoryBlockstore } from 'blockstore-core';
import { createInterface } from 'node:readline';
import { systemClock } from '../../src/lib/clock.ts';
import { toTabmeshError } from '../../src/lib/errors.ts';
import type { PeerId } from '../../src/lib/ids.ts';
import { lineLog } from '../../src/lib/log.ts';
import { IceServers } from '../../src/mesh/access/ice-servers.ts';
import { nodeIceCandidates } from '../../src/mesh/bootstrap/ice-candidates.node.ts';
import { classifyNat } from '../../src/mesh/bootstrap/nat-type.ts';
import { issueCertificate, verifyCertificate } from '../../src/mesh/identity/certificate.ts';
import { loadDeviceKey } from '../../src/mesh/identity/device-key.ts';
import { parseInvite } from '../../src/mesh/identity/invite.ts';
import { deriveRoomKeys } from '../../src/mesh/identity/room-secret.ts';
import { roomGater } from '../../src/mesh/node/gater.ts';
import { parseRelayAddress } from '../../src/mesh/node/relay-address.ts';
import { startRoomNode } from '../../src/mesh/node/room-node.ts';
import { webSocketsWithPath } from '../../src/mesh/node/web-sockets.ts';
import { createPresence } from '../../src/mesh/replica/presence.ts';
import { createReplica } from '../../src/mesh/replica/replica.ts';
import { createReplicaSync } from '../../src/mesh/replica/sync.ts';
import { RoomMesh } from '../../src/mesh/room/room-mesh.ts';
import { createMcpServer } from '../../src/mesh/rpc/mcp-server.ts';
import { createMemoryStore } from '../../src/mesh/storage/kv-memory.ts';
import { createProcessLock } from '../../src/mesh/storage/lock.ts';

const NAT_MS = 15_000;
const CALL_MS = 20_000;

const say = (event: string, fields: Record<string, unknown>) => {
  process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
};
const { invite: link, stun } = JSON.parse(process.argv[2] ?? '') as { invite: string; stun: readonly string[] };
const log = lineLog((line) => process.stderr.write(`${line}\n`), 'peer', ['info', 'warn', 'error']);

say('nat', { type: classifyNat(await nodeIceCandidates.gather(stun, AbortSignal.timeout(NAT_MS))) });

const invite = parseInvite(link);
const relays = invite.relays.map(parseRelayAddress);
const privateKey = await generateKeyPair('Ed25519');
const peer = peerIdFromPrivateKey(privateKey).toString() as PeerId;
const deviceKey = await loadDeviceKey({ store: createMemoryStore(), lock: createProcessLock() });
const keys = deriveRoomKeys(invite);
const ice = new IceServers({ stun: [], turn: [] }, () => Date.now());

const node = await startRoomNode({
  privateKey,
  blockstore: new MemoryBlockstore(),
  gater: roomGater(() => relays),
  transports: [
    webSocketsWithPath(),
    circuitRelayTransport(),
    webRTC({ rtcConfiguration: () => ({ iceServers: ice.list().map(asUrlParts) }) }),
  ],
  listen: ['/p2p-circuit', '/webrtc'],
  inboundConnectionThreshold: 100,
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
    isInfrastructure: (remote) => relays.some((relay) => relay.peer === remote),
    log,
  },
});
const { membership } = node.libp2p.services;
const replica = await createReplica({
  room: invite.room,
  deviceKey,
  store: createMemoryStore(),
  lock: createProcessLock(),
});
const mesh = new RoomMesh({
  node,
  self: { peer, device: deviceKey.id, kind: 'tab' },
  relays,
  access: {
    key: (relay) => invite.access[relay] ?? null,
    granted: (relay, grant) => {
      ice.granted(relay, grant);
      say('granted', { ice: grant.ice.map(({ urls }) => urls) });
    },
  },
  topic: () => keys.rendezvous,
  pastTopics: () => [],
  addresses: () => [],
  serve: createMcpServer({ list: () => [], call: () => Promise.reject(new Error('no tools')) }, () => peer, '0', {
    'test/echo': (params) => Promise.resolve({ text: params['text'] }),
  }),
  replica: createReplicaSync({ replica }),
  presence: createPresence({
    self: peer,
    deviceOf: (remote) => membership.linkTo(remote)?.member.device,
    clock: systemClock,
  }),
  visible: () => true,
  refusal: () => null,
  clock: systemClock,
  log,
});
let told = '';
mesh.subscribe(() => {
  const peers = Object.fromEntries(mesh.peers().map((one) => [one.peer, one.link]));
  const now = JSON.stringify(peers);
  if (now !== told) say('peers', { peers });
  told = now;
});
await mesh.start();
say('ready', { peer });

for await (const line of createInterface({ input: process.stdin })) {
  const other = line.replace('call ', '') as PeerId;
  try {
    const answer = await mesh.request(other, 'test/echo', { text: 'hello' }, { timeoutMs: CALL_MS });
    say('called', { answer });
  } catch (error) {
    say('called', { error: toTabmeshError(error).message });
  }
}
process.exit(0);

/** The WebRTC library of Node wants one URL of all of it, and does not escape the parts itself. */
function asUrlParts(server: RTCIceServer): RTCIceServer {
  const { username, credential } = server;
  if (username === undefined || credential === undefined) return server;
  return { ...server, username: encodeURIComponent(username), credential: encodeURIComponent(credential) };
}
