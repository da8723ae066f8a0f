import type { RoomNode, RoomNodeOptions } from './room-node.ts';
import { startRoomNode } from './room-node.ts';
import { webSocketsWithPath } from './web-sockets.ts';

/** The relay's HTTP server hands connections over from loopback and has limited them at the door already. */
const INBOUND_PER_SECOND = 10_000;

/**
 * The node of a room in a relay process: it listens for WebSockets on loopback, behind the relay's one port.
 * @param announce addresses at which the relay's port leads here
 */
export function startHeadlessNode(
  options: Omit<RoomNodeOptions, 'transports' | 'listen' | 'inboundConnectionThreshold'>,
): Promise<RoomNode> {
  return startRoomNode({
    ...options,
    transports: [webSocketsWithPath()],
    listen: ['/ip4/127.0.0.1/tcp/0/ws'],
    inboundConnectionThreshold: INBOUND_PER_SECOND,
  });
}
