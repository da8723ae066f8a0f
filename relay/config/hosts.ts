import { isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';

/** True for a host name or address (brackets allowed) that never leaves this machine. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  return bare === 'localhost' || bare === '::1' || (isIPv4(bare) && bare.startsWith('127.'));
}

/** True for the addresses that mean "every address of this machine". */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** This machine's own addresses, without loopback. */
export function machineAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, scopeid, family }) => !internal && (family === 'IPv4' || scopeid === 0))
    .map(({ address }) => address);
}
