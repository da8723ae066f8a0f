import type { PeerRecord } from '../../contracts/discovery.ts';
import type { Clock } from '../../lib/clock.ts';
import { TabmeshError } from '../../lib/errors.ts';
import { BookRegistry } from './book-registry.ts';
import { parsePeerAddress } from './peer-address.ts';
import { newRecord } from './record.ts';

/** Peers that somebody named by address. */
export class ManualRegistry extends BookRegistry {
  constructor(clock: Clock) {
    super('manual', clock);
  }

  /**
   * Remembers where a peer is; an address that is known of it stays, the new one is tried first.
   * @throws `invalid_input` when it is no multiaddr that ends in a peer id
   */
  add(text: string): PeerRecord {
    const parsed = parsePeerAddress(text);
    if (parsed === undefined) {
      throw new TabmeshError('invalid_input', `"${text}" is not the address of a peer`, {
        hint: 'It is a multiaddr that ends in /p2p/ and the peer id.',
      });
    }
    const { peer } = parsed;
    const others = this.book.get(peer)?.multiaddrs.filter((address) => address !== text) ?? [];
    this.book.put(
      newRecord({ peer, multiaddrs: [text, ...others].slice(0, MAX_REMEMBERED), source: 'manual' }, this.clock.now()),
    );
    return this.book.get(peer) ?? newRecord({ peer, multiaddrs: [text], source: 'manual' }, this.clock.now());
  }
}

/** People try an address or two. */
const MAX_REMEMBERED = 4;
