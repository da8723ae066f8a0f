import { circuitRelayTransport } from '@libp2p/circuit-relay-v2';
import { webRTC } from '@libp2p/webrtc';
import type { RoomNode, RoomNodeOptions } from './room-node.ts';
import { startRoomNode } from './room-node.ts';
import { webSocketsWithPath } from './web-sockets.ts';

/** Every inbound connection of a tab comes through a relay and looks like one host: libp2p's 5 a second would refuse a class. */
const INBOUND_PER_SECOND = 100;

/**
 * The node of a room in a tab: WebRTC to peers, WebSockets to relays.
 * @param stun STUN and TURN urls; with none, only host candidates are used and nothing calls out
 */
export function startTabNode(
  options: Omit<RoomNodeOptions, 'transports' | 'listen' | 'inboundConnectionThreshold'> & {
    readonly stun: readonly string[];
  },
): Promise<RoomNode> {
  const { stun, ...rest } = options;
  return startRoomNode({
    ...rest,
    transports: [
      webSocketsWithPath(),
      circuitRelayTransport(),
      webRTC({ rtcConfiguration: { iceServers: stun.length === 0 ? [] : [{ urls: [...stun] }] } }),
    ],
    listen: ['/p2p-circuit', '/webrtc'],
    inboundConnectionThreshold: INBOUND_PER_SECOND,
  });
}
