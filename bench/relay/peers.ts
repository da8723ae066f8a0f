/** A process of many peers, told what to do by `peer-process.ts`: each is a real libp2p node with a reservation. */
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2';
import { identify } from '@libp2p/identify';
import { noise } from '@libp2p/noise';
import { peerIdFromString } from '@libp2p/peer-id';
import { ping } from '@libp2p/ping';
import { yamux } from '@libp2p/yamux';
import { createLibp2p } from 'libp2p';
import type { Invite } from '../../src/contracts/mesh.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import { Slots } from '../../src/lib/slots.ts';
import { parseInvite } from '../../src/mesh/identity/invite.ts';
import { RelayLink } from '../../src/mesh/links/relay-link.ts';
import { parseRelayAddress, type RelayAddress } from '../../src/mesh/node/relay-address.ts';
import { webSocketsWithPath } from '../../src/mesh/node/web-sockets.ts';
import type { FromPeers, ToPeers } from './messages.ts';
import { leadFrom } from './own-address.ts';

/** Peers that come at the same time; a handshake is work for both sides. */
const PARALLEL_STARTS = 8;

let invite: Invite | undefined;
let relay: RelayAddress | undefined;

process.on('message', (message: ToPeers) => {
  void answer(message).then((reply) => process.send?.(reply));
});

async function answer(message: ToPeers): Promise<FromPeers> {
  const from = performance.now();
  const took = () => performance.now() - from;
  try {
    if ('start' in message) {
      invite = parseInvite(message.start.invite);
      relay = parseRelayAddress(await seenFrom(message.start.from, invite.relays[0] ?? ''));
      const slots = new Slots(PARALLEL_STARTS);
      const never = new AbortController().signal;
      await Promise.all(message.start.rooms.map((room) => slots.run(() => startPeer(room), never)));
      return { ms: took() };
    }
    return { ms: await startPeer(message.introduce.room) };
  } catch (error) {
    return { failed: String(error), ms: took() };
  }
}

/** Starts a peer of a room. @returns ms until it knew who else is there */
async function startPeer(room: number): Promise<number> {
  if (invite === undefined || relay === undefined) throw new Error('no relay');
  const { access } = invite;
  const node = await createLibp2p({
    addresses: { listen: ['/p2p-circuit'] },
    transports: [webSocketsWithPath(), circuitRelayTransport()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    connectionMonitor: { enabled: false },
    services: { identify: identify(), ping: ping() },
  });
  const listed = Promise.withResolvers<undefined>();
  const reserved = Promise.withResolvers<undefined>();
  node.addEventListener('self:peer:update', () => {
    if (node.getMultiaddrs().length > 0) reserved.resolve(undefined);
  });
  const from = performance.now();
  new RelayLink({
    node,
    ways: [relay],
    topic: topicOf(room),
    // libp2p takes its one place by itself
    reserve: () => Promise.resolve(),
    ping: (peer, signal) => node.services.ping.ping(peerIdFromString(peer), { signal }),
    addresses: () => [],
    access: { key: (peer) => access[peer] ?? null, granted: () => undefined },
    onEvent: ({ type }) => {
      if (type === 'peers') listed.resolve(undefined);
    },
    onState: () => undefined,
    clock: systemClock,
    log: silentLog,
  }).start();
  await listed.promise;
  const ms = performance.now() - from;
  await reserved.promise;
  return ms;
}

/** 20 bytes in base32, another for each room. */
const topicOf = (room: number) => room.toString(2).replaceAll('0', 'a').replaceAll('1', 'b').padStart(32, 'a');

/** The relay's address by way of a loopback address of ours. */
async function seenFrom(from: string, address: string): Promise<string> {
  const [, , host = '', , port = ''] = address.split('/');
  const lead = await leadFrom(from, { host, port: Number(port) });
  return address.replace(`/${host}/tcp/${port}/`, `/127.0.0.1/tcp/${lead}/`);
}
