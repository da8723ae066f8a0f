import type { RelayAddress } from '../../mesh/node/relay-address.ts';

const LOOPBACK = /^(?:127\.0\.0\.1|localhost):/;

/**
 * Whether this page may connect to a relay's address. The content security policy lets it reach its own origin, loopback and
 * whatever speaks TLS, and does not apply to WebRTC; a relay that listens on all its networks announces more than that.
 * @param pageHost `location.host`
 */
export function withinPolicy({ address, host }: RelayAddress, pageHost: string): boolean {
  const secure = address.getComponents().some(({ name }) => ['tls', 'wss', 'webrtc-direct'].includes(name));
  const standard = pageHost.includes(':') ? pageHost : `${pageHost}:80`;
  return secure || host === standard || LOOPBACK.test(host);
}
