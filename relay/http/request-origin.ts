import type { IncomingHttpHeaders } from 'node:http';
import { TabmeshError } from '../../src/lib/errors.ts';

/** Who may speak to this relay with a browser in between. */
export interface OriginRules {
  /** exact origins of our own pages */
  readonly origins: readonly string[];
  /** exact `Host` values of this relay; null when it is open to a network, where its names are not known */
  readonly hosts: readonly string[] | null;
}

/**
 * Refuses requests by a name that is not this relay's: a page whose name was pointed at loopback after it had loaded
 * (DNS rebinding) would otherwise count as our own.
 * @throws `forbidden`
 */
export function checkHost(headers: IncomingHttpHeaders, { hosts }: OriginRules): void {
  if (hosts === null || hosts.includes((headers.host ?? '').toLowerCase())) return;
  throw new TabmeshError('forbidden', 'this relay does not answer to that host name', {
    hint: 'Use the address that it printed at start, or set --public-url.',
  });
}

/**
 * Refuses requests that a foreign page makes. Programs send no `Origin`; browsers always do where it matters.
 * @throws `forbidden`
 */
export function checkOrigin(headers: IncomingHttpHeaders, { origins }: OriginRules): void {
  const { origin } = headers;
  if (origin === undefined || origins.includes(origin)) return;
  throw new TabmeshError('forbidden', 'pages of other origins may not call this relay');
}
