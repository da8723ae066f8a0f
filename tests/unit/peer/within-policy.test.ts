import { describe, expect, it } from 'vitest';
import { parseRelayAddress } from '../../../src/mesh/node/relay-address.ts';
import { withinPolicy } from '../../../src/peer/tab/within-policy.ts';

const PEER = '12D3KooWLiotqApKbtDdNaFQpcQKZE5NK4pcGVMQYSrfUyjMsfJr';
const allowed = (address: string, page: string) => withinPolicy(parseRelayAddress(`${address}/p2p/${PEER}`), page);

describe('the addresses that a page may connect to', () => {
  it.each([
    ['its own origin', '/ip4/192.168.1.5/tcp/8787/ws', '192.168.1.5:8787'],
    ['its own origin on the standard port', '/dns4/relay.lan/tcp/80/ws', 'relay.lan'],
    ['loopback, from another port', '/ip4/127.0.0.1/tcp/9000/ws', 'localhost:8787'],
    ['anything with TLS', '/dns4/relay.example.org/tcp/443/tls/ws', '127.0.0.1:8787'],
  ])('are %s', (_what, address, page) => {
    expect(allowed(address, page)).toBe(true);
  });

  it.each([
    ['another network of the relay', '/ip4/192.168.1.5/tcp/8787/ws', '127.0.0.1:8787'],
    ['another port of its host', '/ip4/192.168.1.5/tcp/9000/ws', '192.168.1.5:8787'],
    ['IPv6 in clear', '/ip6/fd00::2/tcp/8787/ws', '127.0.0.1:8787'],
  ])('are not %s', (_what, address, page) => {
    expect(allowed(address, page)).toBe(false);
  });
});
