import { noise } from '@libp2p/noise';
import type { HeliaWithLibp2p } from '@helia/libp2p';
import { withLibp2pLight } from '@helia/libp2p';
import { withBitswap } from '@helia/bitswap';
import type { ConnectionGater, PrivateKey, Transport } from '@libp2p/interface';
import type { Ping } from '@libp2p/ping';
import * as dagCbor from '@ipld/dag-cbor';
import { createHeliaLight } from 'helia';
import type { Blockstore } from 'interface-blockstore';
import { MemoryDatastore } from 'datastore-core';
import type { ListenPort } from './listen-port.ts';
import { listenPort } from './listen-port.ts';
import { dropWhatIsTooLate } from './closing-connections.ts';
import { streamOverLinks } from './over-links.ts';
import { sharedPing } from './shared-ping.ts';
import { sparingYamux } from './sparing-yamux.ts';
import type { Reservations } from './reservations.ts';
import { reservations } from './reservations.ts';
import { publicIdentify } from '../membership/guard.ts';
import type { MembershipOptions } from '../membership/membership.ts';
import { Membership } from '../membership/membership.ts';

/** The libp2p services of a room's peer. */
// an interface has no index signature, and libp2p wants one of its services
export type RoomServices = {
  identify: ReturnType<ReturnType<typeof publicIdentify>>;
  ping: Ping;
  /** of a headless peer; a tab listens on no port */
  listenPort: ListenPort;
  reservations: Reservations;
  membership: Membership;
};

/** Helia owning the libp2p node of one room. */
export type RoomNode = HeliaWithLibp2p<RoomServices>;

export interface RoomNodeOptions {
  readonly privateKey: PrivateKey;
  /** the room's blocks on this device; Bitswap answers from nothing else */
  readonly blockstore: Blockstore;
  readonly membership: MembershipOptions;
  readonly gater: ConnectionGater;
  // libp2p's transport factories differ in the components they ask for
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly transports: ((components: any) => Transport)[];
  readonly listen: string[];
  readonly announce?: string[];
  /** new connections a second from one remote host; see the platform's file for its reason */
  readonly inboundConnectionThreshold: number;
}

/**
 * Whether a peer is gone is decided by its heartbeats, since a throttled tab answers late (browsers run hidden pages' timers once a
 * second or less). libp2p's monitor would ping each connection beside them, in the way of our own pings.
 */
const CONNECTION_MONITOR = { enabled: false };

/** Simultaneous handshakes; a room that reopens at nine in the morning, not libp2p's 10. */
const MAX_PENDING_CONNECTIONS = 64;

/**
 * Builds and starts the node of a room: Helia with Bitswap over libp2p, guarded by membership from its first connection.
 *
 * Its peer store lives in memory: peers are found anew through the relay, and an address book on disk would only bring
 * back the dead.
 */
export async function startRoomNode(options: RoomNodeOptions): Promise<RoomNode> {
  const helia = createHeliaLight({
    blockstore: options.blockstore,
    datastore: new MemoryDatastore(),
    codecs: [dagCbor],
  });
  const node = withLibp2pLight<typeof helia, RoomServices>(helia, {
    privateKey: options.privateKey,
    addresses: {
      listen: options.listen,
      ...(options.announce === undefined ? {} : { announce: options.announce }),
    },
    transports: options.transports,
    connectionEncrypters: [noise()],
    streamMuxers: [sparingYamux()],
    connectionGater: options.gater,
    connectionMonitor: CONNECTION_MONITOR,
    connectionManager: {
      inboundConnectionThreshold: options.inboundConnectionThreshold,
      maxIncomingPendingConnections: MAX_PENDING_CONNECTIONS,
    },
    services: {
      identify: publicIdentify(),
      ping: sharedPing(),
      listenPort: listenPort(),
      reservations: reservations(),
      membership: (components) => new Membership(components, options.membership),
    },
  });
  const withBlocks = withBitswap(node, { runOnLimitedConnections: true });
  try {
    await withBlocks.start();
  } catch (error) {
    await withBlocks.stop();
    throw error;
  }
  dropWhatIsTooLate(withBlocks.libp2p);
  streamOverLinks(withBlocks.libp2p, withBlocks.libp2p.services.membership);
  return withBlocks;
}
