import { isIPv6 } from 'node:net';
import type { IncomingMessage } from 'node:http';

/** Groups of an IPv6 address that name the customer's network (RFC 6177): the rest is the customer's to choose. */
const NETWORK_GROUPS = 4;

/**
 * Whose connection this is, as a key for limits: an IPv4 address, or the /64 network of an IPv6 one.
 * @param trustProxy take the last entry of `X-Forwarded-For`: the one that our own proxy added
 */
export function clientKey(request: IncomingMessage, trustProxy: boolean): string {
  const forwarded = trustProxy
    ? String(request.headers['x-forwarded-for'] ?? '')
        .split(',')
        .at(-1)
        ?.trim()
    : '';
  const address = forwarded === undefined || forwarded === '' ? (request.socket.remoteAddress ?? 'unknown') : forwarded;
  const mapped = address.replace(/^::ffff:(?=\d+\.)/i, '');
  return isIPv6(mapped) ? networkOf(mapped) : mapped;
}

function networkOf(address: string): string {
  const [head = '', tail] = (address.split('%')[0] ?? '').toLowerCase().split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0');
  return [...before, ...zeros, ...after].slice(0, NETWORK_GROUPS).join(':');
}
