import { ipVersion, isPublicIp } from '../bootstrap/ip-address.ts';

/**
 * Whether a host is this machine or on its own network, as far as its name tells: a public name may lead to a private
 * address all the same.
 * @param host with or without a port and `/udp` behind it; an IPv6 address in brackets
 */
export function isLocalHost(host: string): boolean {
  const name = (/^\[(.+)\]/.exec(host)?.[1] ?? host.replace(/(?::\d+)?(?:\/udp)?$/, '')).toLowerCase();
  if (ipVersion(name) !== null) return !isPublicIp(name);
  return name === 'localhost' || name.endsWith('.localhost') || name.endsWith('.local');
}
