import { circuitRelayServer } from '@libp2p/circuit-relay-v2';
import { identify } from '@libp2p/identify';
import type { Libp2p, PrivateKey } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { ping } from '@libp2p/ping';
import { webSockets } from '@libp2p/websockets';
import { yamux } from '@libp2p/yamux';
import { createLibp2p } from 'libp2p';
import type { Log } from '../../src/lib/log.ts';
import { listenPort } from '../../src/mesh/node/listen-port.ts';
import { serveRendezvous } from '../../src/mesh/rendezvous/server.ts';

/**
 * libp2p's defaults (15 reservations, 2 minutes, 128 KiB a circuit) are for public relays that only introduce. This relay
 * serves the rooms of its owner, and a circuit is what carries two members whom no direct way connects.
 */
const RESERVATIONS = 1_000;
const CIRCUIT_BYTES = 256n * 1024n * 1024n;
const CIRCUIT_MS = 2 * 60 * 60 * 1000;
/** signalling and relayed links of every reserved peer to a dozen others */
const HOP_STREAMS = 12_000;
/** Connections come from the HTTP server, on loopback, which has limited them at the door. */
const INBOUND_PER_SECOND = 10_000;
const MAX_CONNECTIONS = 4_000;
const MAX_PENDING_CONNECTIONS = 500;

/** The relay's own libp2p node: carries circuits and introduces peers; no room's data ever passes its memory in clear. */
export interface RelayNode {
  readonly libp2p: Libp2p;
  /** loopback port of its WebSocket listener */
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * Starts the relay's node behind the HTTP port.
 * @param announce its public addresses, without peer id
 */
export async function startRelayNode(
  privateKey: PrivateKey,
  announce: readonly string[],
  log: Log,
): Promise<RelayNode> {
  const libp2p = await createLibp2p({
    privateKey,
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0/ws'], announce: [...announce] },
    transports: [webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionMonitor: { abortConnectionOnPingFailure: false },
    connectionManager: {
      maxConnections: MAX_CONNECTIONS,
      inboundConnectionThreshold: INBOUND_PER_SECOND,
      maxIncomingPendingConnections: MAX_PENDING_CONNECTIONS,
    },
    services: {
      identify: identify(),
      ping: ping(),
      listenPort: listenPort(),
      circuitRelay: circuitRelayServer({
        maxInboundHopStreams: HOP_STREAMS,
        maxOutboundStopStreams: HOP_STREAMS,
        reservations: {
          maxReservations: RESERVATIONS,
          defaultDataLimit: CIRCUIT_BYTES,
          defaultDurationLimit: CIRCUIT_MS,
        },
      }),
    },
  });
  await serveRendezvous(libp2p, log);
  return { libp2p, port: libp2p.services.listenPort.port(), stop: () => Promise.resolve(libp2p.stop()) };
}
