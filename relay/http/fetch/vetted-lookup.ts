import { lookup as systemLookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { isPublicAddress } from './public-address.ts';
import { blocked } from './vet-url.ts';

/** Resolves a host name to all of its addresses. @throws the resolver's error */
export type Resolve = (host: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

/** What the system resolves. */
export const resolveBySystem: Resolve = (host) => systemLookup(host, { all: true, order: 'verbatim' });

/**
 * A look-up for sockets that gives only public addresses, and fails when a name has any other. Because the socket
 * connects to just what this returns, a name that resolves differently a moment later (DNS rebinding) changes nothing.
 */
export function vettedLookup(
  resolve: Resolve,
  isAllowed: (address: string) => boolean = isPublicAddress,
): LookupFunction {
  const vetted = async (host: string) => {
    const addresses = await resolve(host);
    const first = addresses[0];
    if (first === undefined || !addresses.every(({ address }) => isAllowed(address))) {
      throw blocked(`${host}: its address is not public`);
    }
    return { first, addresses: addresses.map(({ address, family }) => ({ address, family })) };
  };
  return (host, options, done) => {
    vetted(host).then(
      ({ first, addresses }) => {
        if (options.all === true) done(null, addresses);
        else done(null, first.address, first.family);
      },
      (error: unknown) => {
        done(error instanceof Error ? error : new Error(String(error)), '');
      },
    );
  };
}
