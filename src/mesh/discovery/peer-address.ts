import type { Multiaddr } from '@multiformats/multiaddr';
import { multiaddr } from '@multiformats/multiaddr';
import type { PeerId } from '../../lib/ids.ts';

/** A relay's address with a path, a circuit and two ids stays below; longer is not an address. */
const MAX_ADDRESS_CHARS = 512;

/** An address that says which peer it leads to. */
export interface PeerAddress {
  readonly peer: PeerId;
  readonly address: Multiaddr;
  /** the relay whose circuit it goes through, where it goes through one */
  readonly relay: PeerId | null;
}

/** Reads a multiaddr that ends in a peer id; undefined for anything else. */
export function parsePeerAddress(text: string): PeerAddress | undefined {
  if (text.length > MAX_ADDRESS_CHARS) return undefined;
  try {
    const address = multiaddr(text);
    const parts = address.getComponents();
    const last = parts.at(-1);
    if (last?.name !== 'p2p' || last.value === undefined) return undefined;
    const circuit = parts.findIndex(({ name }) => name === 'p2p-circuit');
    const before = circuit > 0 ? parts[circuit - 1] : undefined;
    const relay = before?.name === 'p2p' ? before.value : undefined;
    return { peer: last.value as PeerId, address, relay: relay === undefined ? null : (relay as PeerId) };
  } catch {
    // the library throws its own errors for text that is no multiaddr; here that is an answer
    return undefined;
  }
}
