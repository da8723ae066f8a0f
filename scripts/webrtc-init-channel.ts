import type { Plugin } from 'vite';

const MODULE = /[\\/]@libp2p[\\/]webrtc[\\/]dist[\\/]src[\\/]private-to-private[\\/]initiate-connection\.js$/;

const CHANGES = [
  ["if (channel.readyState !== 'open') {", "if (channel.readyState === 'connecting') {"],
  ["await pEvent(channel, 'open', {", "await pEvent(channel, ['open', 'close'], {"],
  ["await pEvent(channel, 'close', {", "if (channel.readyState !== 'closed') await pEvent(channel, 'close', {"],
] as const;

/**
 * Mends a race of @libp2p/webrtc 6.0.33. Whoever dials waits for `open` and then `close` of its handshake channel, but the
 * other side closes that channel as well, and on a busy machine has done so before the dialler looks: both events have
 * passed, and the dial hangs until its timeout although the connection stands. Mended, it looks at the channel's state.
 * To be removed when the package does so itself: the build then fails here.
 */
export const webRtcInitChannel: Plugin = {
  name: 'webrtc-init-channel',
  transform: { filter: { id: MODULE }, handler: (code) => ({ code: mendInitChannel(code), map: null }) },
};

/** The module with the race mended. @throws when it is not the code that this was written for */
export function mendInitChannel(code: string): string {
  return CHANGES.reduce((mended, [from, to]) => {
    if (mended.split(from).length !== 2) throw new Error(`@libp2p/webrtc has changed: ${from} is not there once`);
    return mended.replace(from, to);
  }, code);
}
