/** A process of many peers, told what to do by `peer-process.ts`: each is a real libp2p node with a reservation. */
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2';
import { identify } from '@libp2p/identify';
import { noise } from '@libp2p/noise';
import { ping } from '@libp2p/ping';
import { webSockets } from '@libp2p/websockets';
import { yamux } from '@libp2p/yamux';
import { createLibp2p } from 'libp2p';
import type { Invite } from '../../src/contracts/mesh.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import { Slots } from '../../src/lib/slots.ts';
import { parseInvite } from '../../src/mesh/identity/invite.ts';
import { RelayLink } from '../../src/mesh/links/relay-link.ts';
import { parseRelayAddress } from '../../src/mesh/node/relay-address.ts';
import type { FromPeers, ToPeers } from './messages.ts';

/** Peers that come at the same time; a handshake is work for both sides. */
const PARALLEL_STARTS = 8;

let invite: Invite | undefined;

process.on('message', (message: ToPeers) => {
  void answer(message).then((reply) => process.send?.(reply));
});

async function answer(message: ToPeers): Promise<FromPeers> {
  const from = performance.now();
  const took = () => performance.now() - from;
  try {
    if ('start' in message) {
      invite = parseInvite(message.start.invite);
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
  const [address] = invite?.relays ?? [];
  if (invite === undefined || address === undefined) throw new Error('no relay');
  const { access } = invite;
  const node = await createLibp2p({
    addresses: { listen: ['/p2p-circuit'] },
    transports: [webSockets(), circuitRelayTransport()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    connectionMonitor: { abortConnectionOnPingFailure: false },
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
    ways: [parseRelayAddress(address)],
    topic: topicOf(room),
    addresses: () => [],
    access: { key: (relay) => access[relay] ?? null, granted: () => undefined },
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
