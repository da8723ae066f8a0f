import type { Libp2p, PeerId as Libp2pPeerId } from '@libp2p/interface';
import type { PeerId } from '../../lib/ids.ts';
import type { Membership } from '../membership/membership.ts';

/**
 * Has protocols of libraries (Bitswap) open their streams on the proven link that there is, relayed or not. libp2p's own
 * `dialProtocol` (3.3) overlooks a relayed connection and dials the peer anew, each time, at addresses that are not to be
 * reached: over a relayed link no block would ever come.
 */
export function streamOverLinks(libp2p: Pick<Libp2p, 'dialProtocol'>, membership: Membership): void {
  const dial = libp2p.dialProtocol.bind(libp2p);
  libp2p.dialProtocol = (peer, protocols, options) => {
    const link = isPeerId(peer) ? membership.linkTo(peer.toString() as PeerId) : undefined;
    if (link === undefined) return dial(peer, protocols, options);
    return link.connection.newStream(protocols, { ...options, runOnLimitedConnection: true });
  };
}

type Target = Parameters<Libp2p['dialProtocol']>[0];

function isPeerId(target: Target): target is Libp2pPeerId {
  return !Array.isArray(target) && 'publicKey' in target;
}
