import { circuitRelayTransport } from '@libp2p/circuit-relay-v2';
import { webRTC, webRTCDirect } from '@libp2p/webrtc';
import { MAX_RELAYS } from '../identity/invite.ts';
import type { IceServers } from '../access/ice-servers.ts';
import type { RoomNode, RoomNodeOptions } from './room-node.ts';
import { startRoomNode } from './room-node.ts';
import { webSocketsWithPath } from './web-sockets.ts';

/** Every inbound connection of a tab comes through a relay and looks like one host: libp2p's 5 a second would refuse a class. */
const INBOUND_PER_SECOND = 100;

/**
 * At how many relays a tab listens: at every one that its room may have, since others come through whichever they are at.
 * libp2p takes one place for each; one more than there are relays, because it drops what waits when it has all of them.
 */
const RELAY_PLACES = MAX_RELAYS + 1;

/**
 * The node of a room in a tab: WebRTC to peers, WebSockets or WebRTC-Direct to relays.
 * @param ice asked at every dial, because TURN credentials are short-lived; with no server in it, only host candidates are
 *   used and nothing calls out
 */
export function startTabNode(
  options: Omit<RoomNodeOptions, 'transports' | 'listen' | 'inboundConnectionThreshold'> & {
    readonly ice: Pick<IceServers, 'list'>;
  },
): Promise<RoomNode> {
  const { ice, ...rest } = options;
  return startRoomNode({
    ...rest,
    transports: [
      webSocketsWithPath(),
      // one that does not answer must not keep others waiting
      circuitRelayTransport({ reservationConcurrency: MAX_RELAYS }),
      webRTC({ rtcConfiguration: () => ({ iceServers: ice.list() }) }),
      // a relay is where it says it is
      webRTCDirect({ rtcConfiguration: { iceServers: [] } }),
    ],
    listen: [...Array.from({ length: RELAY_PLACES }, () => '/p2p-circuit'), '/webrtc'],
    inboundConnectionThreshold: INBOUND_PER_SECOND,
  });
}
