import { nodeIceServers } from '../access/ice-servers.node.ts';
import type { IceServers } from '../access/ice-servers.ts';
import type { HandedSockets } from './handed-sockets.node.ts';
import type { RoomNode, RoomNodeOptions } from './room-node.ts';
import { startRoomNode } from './room-node.ts';
import { webSocketsWithPath } from './web-sockets.ts';

/** The relay's HTTP server hands connections over, and has limited them at the door already. */
const INBOUND_PER_SECOND = 10_000;

/** Where others find a headless peer. */
export interface HeadlessWays {
  /** at a WebSocket listener on loopback, to which the relay's one port leads */
  readonly listens: boolean;
  /** through the relays of the room, and by WebRTC with these servers, as a tab is found; null: not that way */
  readonly throughRelays: Pick<IceServers, 'list'> | null;
}

/** That of a relay's peer, which everybody dials at its address. */
const LISTENS_ONLY: HeadlessWays = { listens: true, throughRelays: null };

/**
 * The node of a room in a process.
 * @param announce addresses at which the relay's port leads here
 */
export async function startHeadlessNode(
  options: Omit<RoomNodeOptions, 'transports' | 'listen' | 'inboundConnectionThreshold'> & {
    /** {@link LISTENS_ONLY} when absent */
    readonly ways?: HeadlessWays;
    /** through which the relay's port hands connections over */
    readonly sockets?: HandedSockets;
  },
): Promise<RoomNode> {
  const { ways = LISTENS_ONLY, sockets, ...rest } = options;
  const relayed = ways.throughRelays === null ? { transports: [], listen: [] } : await loadRelayed(ways.throughRelays);
  return startRoomNode({
    ...rest,
    transports: [sockets?.transport(webSocketsWithPath()) ?? webSocketsWithPath(), ...relayed.transports],
    listen: [...(ways.listens ? ['/ip4/127.0.0.1/tcp/0/ws'] : []), ...relayed.listen],
    inboundConnectionThreshold: INBOUND_PER_SECOND,
  });
}

/** WebRTC on Node is a native library of many megabytes: who is dialled at an address does without. */
async function loadRelayed(ice: Pick<IceServers, 'list'>): Promise<Pick<RoomNodeOptions, 'transports' | 'listen'>> {
  const { throughRelays } = await import('./through-relays.ts');
  return throughRelays(() => nodeIceServers(ice.list()));
}
