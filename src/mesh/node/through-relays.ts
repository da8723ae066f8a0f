import { circuitRelayTransport } from '@libp2p/circuit-relay-v2';
import { webRTC, webRTCDirect } from '@libp2p/webrtc';
import { MAX_RELAYS } from '../identity/invite.ts';
import type { RoomNodeOptions } from './room-node.ts';

/**
 * At how many relays a peer listens: at every one that its room may have, since others come through whichever they are at.
 * libp2p takes one place for each; one more than there are relays, because it drops what waits when it has all of them.
 */
const RELAY_PLACES = MAX_RELAYS + 1;

/**
 * Makes a peer reachable that has no address of its own: through the circuits of its relays, and by WebRTC, which is
 * negotiated over these.
 * @param ice asked at every dial, because TURN credentials are short-lived; with no server in it, only host candidates are
 *   used and nothing calls out
 */
export function throughRelays(ice: () => RTCIceServer[]): Pick<RoomNodeOptions, 'transports' | 'listen'> {
  return {
    transports: [
      // one that does not answer must not keep others waiting
      circuitRelayTransport({ reservationConcurrency: MAX_RELAYS }),
      webRTC({ rtcConfiguration: () => ({ iceServers: ice() }) }),
      // a relay is where it says it is
      webRTCDirect({ rtcConfiguration: { iceServers: [] } }),
    ],
    listen: [...Array.from({ length: RELAY_PLACES }, () => '/p2p-circuit'), '/webrtc'],
  };
}
