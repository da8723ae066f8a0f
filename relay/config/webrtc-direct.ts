import { isIP, isIPv6 } from 'node:net';
import { badOption } from './bad-option.ts';
import { isWildcard, machineAddresses } from './hosts.ts';

/** Where the relay listens for WebRTC-Direct. */
export interface DirectChoice {
  readonly port: number;
  /** the address that others see, where the machine does not know it; null elsewhere */
  readonly address: string | null;
}

/** Reads `--webrtc-direct`. @throws `invalid_input` */
export function webrtcDirect(value: string | undefined): DirectChoice | null {
  if (value === undefined) return null;
  const { address, port } = /^(?:(?<address>.+):)?(?<port>\d{1,5})$/.exec(value)?.groups ?? {};
  const bare = address?.replace(/^\[(.*)\]$/, '$1') ?? null;
  const number = Number(port);
  if (!(number >= 1 && number <= 65_535) || (bare !== null && isIP(bare) === 0)) {
    throw badOption(
      'webrtc-direct',
      value,
      'a UDP port from 1 to 65535, after an IP address and a colon if others see one',
    );
  }
  return { port: number, address: bare };
}

/**
 * The addresses of the listener, without certificate and peer id. They need an IP address: browsers look up no names for
 * WebRTC.
 * @returns where to listen, and what to announce, best first
 * @throws `invalid_input` when `--host` is a name
 */
export function directAddresses(
  { port, address }: DirectChoice,
  host: string,
  lanAddresses: readonly string[] = machineAddresses(),
): { readonly listen: string; readonly announce: readonly string[] } {
  const bound = host === 'localhost' ? '127.0.0.1' : host;
  if (isIP(bound) === 0) throw badOption('host', host, 'an IP address, which --webrtc-direct needs');
  const at = (ip: string) => `/${isIPv6(ip) ? 'ip6' : 'ip4'}/${ip}/udp/${String(port)}/webrtc-direct`;
  const own = isWildcard(bound) ? lanAddresses : [bound];
  return { listen: at(bound), announce: (address === null ? own : [address]).map(at) };
}
