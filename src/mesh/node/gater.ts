import type { ConnectionGater } from '@libp2p/interface';
import type { RelayAddress } from './relay-address.ts';
import { hostOf } from './relay-address.ts';

/**
 * Allows exactly what a room needs: the relays of the page's origin and of the invite, peers through these relays, and
 * what WebRTC negotiates with them. libp2p's browser default would refuse a relay on a local network and allow any public one.
 * @param relays asked at every dial, because a room may learn of another relay
 * @param named further `host:port` that who administers this peer has named, as of now
 */
export function roomGater(
  relays: () => readonly RelayAddress[],
  named: ReadonlySet<string> = new Set(),
): ConnectionGater {
  return {
    denyDialMultiaddr(address) {
      const host = hostOf(address);
      return host === null || (!named.has(host) && !relays().some((relay) => relay.host === host));
    },
  };
}
