import type { Log } from '../../lib/log.ts';
import type { RelayAddress } from '../../mesh/node/relay-address.ts';
import { parseRelayAddress } from '../../mesh/node/relay-address.ts';

/** Reads relays' multiaddrs, each once; one that cannot be read does not keep us from the others. */
export function readRelays(texts: readonly string[], log: Log): RelayAddress[] {
  return [...new Set(texts)].flatMap((text) => {
    try {
      return [parseRelayAddress(text)];
    } catch (error) {
      log.warn('relay address unreadable', { address: text, reason: (error as Error).message });
      return [];
    }
  });
}
