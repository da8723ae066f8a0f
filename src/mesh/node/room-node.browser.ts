import type { IceServers } from '../access/ice-servers.ts';
import type { RoomNode, RoomNodeOptions } from './room-node.ts';
import { startRoomNode } from './room-node.ts';
import { throughRelays } from './through-relays.ts';
import { webSocketsWithPath } from './web-sockets.ts';

/** Every inbound connection of a tab comes through a relay and looks like one host: libp2p's 5 a second would refuse a class. */
const INBOUND_PER_SECOND = 100;

/** The node of a room in a tab: WebRTC to peers, WebSockets or WebRTC-Direct to relays. */
export function startTabNode(
  options: Omit<RoomNodeOptions, 'transports' | 'listen' | 'inboundConnectionThreshold'> & {
    readonly ice: Pick<IceServers, 'list'>;
  },
): Promise<RoomNode> {
  const { ice, ...rest } = options;
  const { transports, listen } = throughRelays(() => ice.list());
  return startRoomNode({
    ...rest,
    transports: [webSocketsWithPath(), ...transports],
    listen,
    inboundConnectionThreshold: INBOUND_PER_SECOND,
  });
}
