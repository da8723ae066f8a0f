import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPublicAddress } from '../../../relay/http/fetch/public-address.ts';
import { vettedLookup } from '../../../relay/http/fetch/vetted-lookup.ts';

describe('a public address', () => {
  it.each(['8.8.8.8', '93.184.215.14', '130.14.29.110', '2606:2800:21f:cb07:6820:80da:af6b:8b2c', '::ffff:8.8.8.8'])(
    'is %s',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  it.each([
    ...['0.0.0.0', '0.1.2.3', '10.1.2.3', '100.64.0.1', '127.0.0.1', '127.255.255.255', '169.254.169.254'],
    ...['172.16.0.1', '172.31.255.255', '192.0.0.1', '192.0.2.1', '192.168.0.1', '198.18.0.1', '198.51.100.1'],
    ...['203.0.113.1', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'],
    ...['::', '::1', '::7f00:1', '::ffff:127.0.0.1', '::ffff:a9fe:a9fe', '::ffff:10.0.0.1', '64:ff9b::7f00:1'],
    ...['64:ff9b:1::1', '2002:7f00:1::', '2001::1', '2001:db8::1', 'fc00::1', 'fd12::1', 'fe80::1', 'fe80::1%eth0'],
    ...['ff02::1', '', 'localhost', '127.1', '2130706433', '0x7f.0.0.1', '1.2.3.4.5', '1.2.3.4 ', '[::1]'],
  ])('is not %s', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it('is never one of a private network, in any IPv6 form that carries it', () => {
    const octet = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(fc.constantFrom(10, 127), octet, octet, octet, (a, b, c, d) => {
        const hex = [a * 256 + b, c * 256 + d].map((group) => group.toString(16)).join(':');
        const forms = [[a, b, c, d].join('.'), `::ffff:${hex}`, `::${hex}`, `64:ff9b::${hex}`, `2002:${hex}::1`];
        for (const form of forms) expect([form, isPublicAddress(form)]).toEqual([form, false]);
      }),
    );
  });
});

describe('the look-up of a socket', () => {
  const publicOne = { address: '93.184.215.14', family: 4 };
  const look = (lookup: ReturnType<typeof vettedLookup>, all: boolean) =>
    new Promise((resolve) => {
      lookup('host.example', { all }, (error, address, family) => {
        resolve(error ?? { address, family });
      });
    });

  it('gives the very addresses that it has checked, asking once', async () => {
    let asked = 0;
    // a name that points inside from the second question on
    const resolve = () => Promise.resolve([asked++ === 0 ? publicOne : { address: '127.0.0.1', family: 4 }]);
    expect(await look(vettedLookup(resolve), true)).toEqual({ address: [publicOne], family: undefined });
    expect(asked).toBe(1);
    expect(await look(vettedLookup(resolve), true)).toMatchObject({ code: 'upstream_blocked' });
  });

  it('gives one address to those who take one', async () => {
    expect(
      await look(
        vettedLookup(() => Promise.resolve([publicOne])),
        false,
      ),
    ).toEqual(publicOne);
  });

  it('fails when one of several addresses is inside', async () => {
    const resolve = () => Promise.resolve([publicOne, { address: '::1', family: 6 }]);
    expect(await look(vettedLookup(resolve), true)).toMatchObject({ code: 'upstream_blocked' });
  });
});
