import { circuitRelayServer } from '@libp2p/circuit-relay-v2';
import { identify } from '@libp2p/identify';
import type { ConnectionGater, Libp2p, PrivateKey } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { ping } from '@libp2p/ping';
import { webSockets } from '@libp2p/websockets';
import type { TakeUpgrade } from '../http/upgrade.ts';
import { HandedSockets } from '../../src/mesh/node/handed-sockets.node.ts';
import { sparingYamux } from '../../src/mesh/node/sparing-yamux.ts';
import { createLibp2p } from 'libp2p';
import type { Clock } from '../../src/lib/clock.ts';
import type { PeerId } from '../../src/lib/ids.ts';
import type { Log } from '../../src/lib/log.ts';
import type { AccessServerOptions } from '../../src/mesh/access/server.ts';
import { AccessServer } from '../../src/mesh/access/server.ts';
import { listenPort } from '../../src/mesh/node/listen-port.ts';
import { serveRendezvous } from '../../src/mesh/rendezvous/server.ts';
import { CircuitMeter, type CircuitLimits } from './circuit-meter.ts';
import type { DirectCertificate } from './direct-certificate.ts';

/**
 * libp2p's defaults (15 reservations, 2 minutes, 128 KiB a circuit) are for public relays that only introduce. This relay
 * serves the rooms of its owner, and a circuit is what carries two members whom no direct way connects. A peer has one
 * reservation: libp2p keeps them by peer; there are as many as the connections carry, of which a tab needs two.
 */
const RESERVATIONS = 2_000;
const CIRCUIT_BYTES = 256n * 1024n * 1024n;
const CIRCUIT_MS = 2 * 60 * 60 * 1000;
const CIRCUIT_LIMITS: CircuitLimits = {
  // signalling and relayed links to everybody in the largest room
  circuits: 256,
  // many datasets, and a bound on what one peer can cost
  bytesPerDay: 8 * 1024 * 1024 * 1024,
};
/** Of one connection: its circuits, a reservation, and some that are refused. */
const HOP_STREAMS = 264;
/** To one connection: everybody in the largest room may dial the same peer, twice at worst. */
const STOP_STREAMS = 512;
/** Connections come from the HTTP server, on loopback, which has limited them at the door. */
const INBOUND_PER_SECOND = 10_000;
const MAX_CONNECTIONS = 4_000;
const MAX_PENDING_CONNECTIONS = 500;

/** The relay's own libp2p node: carries circuits and introduces peers; no room's data ever passes its memory in clear. */
export interface RelayNode {
  readonly libp2p: Libp2p;
  readonly access: AccessServer;
  readonly circuits: Pick<CircuitMeter, 'totals'>;
  /** loopback port of its WebSocket listener */
  readonly port: number;
  /** serves a WebSocket that was opened at another port of this process */
  readonly take: TakeUpgrade;
  stop(): Promise<void>;
}

export interface RelayNodeOptions {
  readonly privateKey: PrivateKey;
  /** its public addresses, without peer id */
  readonly announce: readonly string[];
  readonly access: Pick<AccessServerOptions, 'find' | 'open' | 'ice'> & { readonly timeoutMs?: number };
  readonly circuits?: CircuitLimits;
  /** a WebRTC-Direct listener beside the WebSocket; null without */
  readonly direct?: { readonly listen: readonly string[]; readonly certificate: DirectCertificate } | null;
  readonly clock: Clock;
  readonly log: Log;
}

/** Starts the relay's node behind the HTTP port. */
export async function startRelayNode(options: RelayNodeOptions): Promise<RelayNode> {
  const { privateKey, announce, circuits = CIRCUIT_LIMITS, direct = null, clock, log } = options;
  const access = new AccessServer({ ...options.access, log });
  const meter = new CircuitMeter(circuits, clock);
  const sockets = new HandedSockets();
  const libp2p = await createLibp2p({
    // nobody may come before all is served
    start: false,
    privateKey,
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0/ws', ...(direct?.listen ?? [])], announce: [...announce] },
    transports: [
      sockets.transport(webSockets()),
      ...(direct === null ? [] : [await directTransport(direct.certificate)]),
    ],
    connectionEncrypters: [noise()],
    streamMuxers: [sparingYamux()],
    connectionGater: relayGater(access, meter),
    // peers watch their relay; a stream to each of a thousand every ten seconds would tell it nothing
    connectionMonitor: { enabled: false },
    connectionManager: {
      maxConnections: MAX_CONNECTIONS,
      inboundConnectionThreshold: INBOUND_PER_SECOND,
      maxIncomingPendingConnections: MAX_PENDING_CONNECTIONS,
    },
    services: {
      identify: identify(),
      ping: ping(),
      listenPort: listenPort(),
      circuitRelay: meter.before(
        circuitRelayServer({
          maxInboundHopStreams: HOP_STREAMS,
          maxOutboundStopStreams: STOP_STREAMS,
          reservations: {
            maxReservations: RESERVATIONS,
            defaultDataLimit: CIRCUIT_BYTES,
            defaultDurationLimit: CIRCUIT_MS,
          },
        }),
      ),
    },
  });
  try {
    await access.start(libp2p);
    await serveRendezvous(libp2p, { admits: (peer) => access.admits(peer), clock, log });
    await libp2p.start();
  } catch (error) {
    await libp2p.stop();
    throw error;
  }
  return {
    libp2p,
    access,
    circuits: meter,
    port: libp2p.services.listenPort.port(),
    take: (...upgrade) => {
      sockets.take(...upgrade);
    },
    stop: () => Promise.resolve(libp2p.stop()),
  };
}

/** Loaded where it is asked for: it brings a native library, and a megabyte of program with it. */
async function directTransport(certificate: DirectCertificate) {
  const { webRTCDirect } = await import('@libp2p/webrtc');
  return webRTCDirect({ certificate, rtcConfiguration: { iceServers: [] } });
}

/** Reservations and circuits are for peers that have presented a key, within their limits. */
function relayGater(access: AccessServer, meter: CircuitMeter): ConnectionGater {
  return {
    denyInboundRelayReservation: async (source) => !(await access.admits(source.toString() as PeerId)),
    denyOutboundRelayedConnection: async (source) => {
      const peer = source.toString() as PeerId;
      return !(await access.admits(peer)) || !meter.allows(peer);
    },
  };
}
