import { multiaddr } from '@multiformats/multiaddr';
import type { PeerId } from '../../lib/ids.ts';

const MAX_ADDRESS_CHARS = 512;
/** What a way to a node begins with: a name, an address, or a name that stands for addresses. */
const HOSTS = ['ip4', 'ip6', 'dns', 'dns4', 'dns6', 'dnsaddr'];
/** What names or carries a connection; `dnsaddr` alone leaves it to the name. */
const CARRIERS = ['tcp', 'udp'];

export type BootstrapAddress =
  { readonly ok: true; readonly peer: PeerId } | { readonly ok: false; readonly reason: string };

/**
 * Checks the address of a bootstrap node: a host, a way to it (`tcp` with `ws`, `wss` or `tls`, `http-path`; `udp` with
 * `quic-v1`, `webrtc-direct`; a circuit with `webrtc`; or `dnsaddr` alone), and last the peer id.
 * https://github.com/multiformats/multiaddr/blob/master/protocols.csv
 */
export function checkBootstrapAddress(text: string): BootstrapAddress {
  if (text.length > MAX_ADDRESS_CHARS) return { ok: false, reason: 'it is too long' };
  let parts;
  try {
    parts = multiaddr(text).getComponents();
  } catch (error) {
    return { ok: false, reason: `it is no multiaddr: ${(error as Error).message}` };
  }
  const [host, carrier] = parts;
  const last = parts.at(-1);
  if (host === undefined || !HOSTS.includes(host.name)) return { ok: false, reason: 'it does not begin with a host' };
  if (host.name !== 'dnsaddr' && !CARRIERS.includes(carrier?.name ?? '')) {
    return { ok: false, reason: 'it has no TCP or UDP port' };
  }
  if (last?.name !== 'p2p' || last.value === undefined) return { ok: false, reason: 'it does not end in a peer id' };
  return { ok: true, peer: last.value as PeerId };
}
