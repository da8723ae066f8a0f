import { PROTOCOLS } from '../../contracts/versions.ts';

/**
 * What a connection may speak before it has proven membership. Everything else is refused and not announced, also
 * protocols that a library registers without telling us.
 */
const PUBLIC_PROTOCOLS: ReadonlySet<string> = new Set([
  '/ipfs/id/1.0.0',
  '/ipfs/ping/1.0.0',
  '/libp2p/circuit/relay/0.2.0/hop',
  '/libp2p/circuit/relay/0.2.0/stop',
  '/webrtc-signaling/0.0.1',
  PROTOCOLS.join,
  // answers only devices that a signed list names
  PROTOCOLS.epoch,
]);

/** Protocols of a relay that we speak as a client, on a connection that never proves anything. */
const RELAY_CLIENT_PROTOCOLS: ReadonlySet<string> = new Set([PROTOCOLS.rendezvous, PROTOCOLS.access]);

/** True when `protocol` may run on an unproven connection in this direction. */
export function isPublicProtocol(protocol: string, direction: 'inbound' | 'outbound'): boolean {
  return PUBLIC_PROTOCOLS.has(protocol) || (direction === 'outbound' && RELAY_CLIENT_PROTOCOLS.has(protocol));
}

/** The protocols of a list that strangers may know of. */
export function publicOnly(protocols: readonly string[]): string[] {
  return protocols.filter((protocol) => PUBLIC_PROTOCOLS.has(protocol));
}
