import { identify } from '@libp2p/identify';
import { noise } from '@libp2p/noise';
import { webRTCDirect } from '@libp2p/webrtc';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLibp2p } from 'libp2p';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RelayConfig } from '../../src/contracts/relay.ts';
import type { PeerId } from '../../src/lib/ids.ts';
import { presentAccess } from '../../src/mesh/access/present.ts';
import { parseInvite } from '../../src/mesh/identity/invite.ts';
import { roomGater } from '../../src/mesh/node/gater.ts';
import { parseRelayAddress } from '../../src/mesh/node/relay-address.ts';
import { joinTopic } from '../../src/mesh/rendezvous/client.ts';
import type { RendezvousEvent } from '../../src/mesh/rendezvous/messages.ts';
import { startRelayChild } from '../support/relay-child.ts';

let folder: string;
let port: number;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabmesh-direct-'));
  port = await freeUdpPort();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** In a process of its own, as a restart is: libjuice frees the port for good only with the process. */
const start = () => startRelayChild(['--port', '0', '--data', folder, '--webrtc-direct', String(port), '--demo']);

const direct = (addresses: readonly string[]) => addresses.find((address) => address.includes('/webrtc-direct/')) ?? '';

it('a relay is reached by WebRTC-Direct, without TLS, at an address that stays the same over restarts', async () => {
  const first = await start();
  const invite = parseInvite(first.announced.invite ?? '');
  const address = direct(invite.relays);
  try {
    expect(address).toMatch(new RegExp(`^/ip4/127.0.0.1/udp/${String(port)}/webrtc-direct/certhash/u[^/]+/p2p/12D3`));
    const config = (await (await fetch(new URL('/config', first.announced.app))).json()) as RelayConfig;
    expect(config.multiaddrs).toContain(address);
    await meet(address, invite.access);
  } finally {
    await first.stop();
  }
  const again = await start();
  try {
    expect(direct(again.announced.multiaddrs)).toBe(address);
    await meet(address, invite.access);
  } finally {
    await again.stop();
  }
});

it('the gater of a room lets a peer dial exactly that address', () => {
  const certhash = 'uEiDuUGJzdpmNBEywnFYNq_9S__2JShxqqEZ6w8C2gbZidw';
  const peer = '12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X';
  const at = (host: string, transport: string) => multiaddr(`/ip4/${host}/${transport}`);
  const relay = parseRelayAddress(`/ip4/192.0.2.1/udp/9000/webrtc-direct/certhash/${certhash}/p2p/${peer}`);
  const gater = roomGater(() => [relay]);
  const denied = (address: ReturnType<typeof multiaddr>) => gater.denyDialMultiaddr?.(address);
  expect(denied(relay.address)).toBe(false);
  expect(denied(at('192.0.2.2', `udp/9000/webrtc-direct/certhash/${certhash}/p2p/${peer}`))).toBe(true);
  expect(denied(at('192.0.2.1', `udp/9001/webrtc-direct/certhash/${certhash}/p2p/${peer}`))).toBe(true);
  expect(denied(at('192.0.2.1', `tcp/9000/ws/p2p/${peer}`))).toBe(true);
});

/** Dials, presents the key and is introduced, all over WebRTC. */
async function meet(address: string, access: Readonly<Record<string, Uint8Array>>): Promise<void> {
  const node = await createLibp2p({
    transports: [webRTCDirect({ rtcConfiguration: { iceServers: [] } })],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: roomGater(() => [parseRelayAddress(address)]),
    services: { identify: identify() },
  });
  try {
    const connection = await node.dial(multiaddr(address), { signal: AbortSignal.timeout(15_000) });
    const key = access[connection.remotePeer.toString()] ?? null;
    await presentAccess(connection, node.peerId.toString() as PeerId, key, AbortSignal.timeout(5_000));
    const events: RendezvousEvent[] = [];
    await joinTopic(
      connection,
      'a'.repeat(32),
      [],
      (event) => events.push(event),
      () => undefined,
      AbortSignal.timeout(5_000),
    );
    await expect.poll(() => events).toEqual([{ type: 'peers', peers: [] }]);
  } finally {
    await node.stop();
  }
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port: free } = socket.address();
  socket.close();
  await once(socket, 'close');
  return free;
}
