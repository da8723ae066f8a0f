import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../../../src/lib/log.ts';
import { ipVersion, isPublicIp } from '../../../../src/mesh/bootstrap/ip-address.ts';
import { ADDRESS_SERVICES, PublicAddress } from '../../../../src/mesh/bootstrap/public-address.node.ts';
import { startUpstream, type UpstreamServer } from '../../../support/http-listener.ts';
import { manualClock, settle } from '../../../support/manual-clock.ts';
import { never } from '../../../support/peer-records.ts';

describe('the public address of this host', () => {
  let server: UpstreamServer;
  let answers: { status: number; body: string }[];
  let asked: number[];
  const clock = manualClock();
  const good = (body = '198.51.100.7\n') => ({ status: 200, body });

  /** five services on one local server, of which the second, fourth and fifth speak IPv6 */
  const finder = () =>
    new PublicAddress({
      services: ADDRESS_SERVICES.map(({ ipv6 }, n) => ({ url: `${server.url}/${String(n)}`, ipv6 })),
      fetch,
      clock,
      log: silentLog,
    });

  beforeEach(async () => {
    answers = [1, 2, 3, 4, 5].map((n) => good(`198.51.100.${String(n)}`));
    asked = [];
    server = await startUpstream((request, response) => {
      const n = Number(request.url?.slice(1));
      asked.push(n);
      response.writeHead(answers[n]!.status, { 'content-type': 'text/plain' }).end(answers[n]!.body);
    });
  });
  afterEach(() => server.close());

  it('the five usual services, in their order', () => {
    expect(ADDRESS_SERVICES.map(({ url }) => new URL(url).host)).toEqual([
      'api.ipify.org',
      'api64.ipify.org',
      'checkip.amazonaws.com',
      'icanhazip.com',
      'ifconfig.me',
    ]);
    expect(ADDRESS_SERVICES.every(({ url }) => url.startsWith('https:'))).toBe(true);
  });

  it('BS16 the first service answers: the others are not called', async () => {
    expect(await finder().find(never())).toBe('198.51.100.1');
    expect(asked).toEqual([0]);
  });

  it('BS17 the first fails: the second is used', async () => {
    const address = new PublicAddress({
      services: [
        { url: 'http://127.0.0.1:1/', ipv6: false },
        { url: `${server.url}/1`, ipv6: true },
      ],
      fetch,
      clock,
      log: silentLog,
    });
    expect(await address.find(never())).toBe('198.51.100.2');
  });

  it('BS17 the first says nothing for 5 s: the second is used', async () => {
    const own = manualClock();
    const address = new PublicAddress({
      services: [
        { url: 'http://silent.invalid/', ipv6: false },
        { url: 'http://good.invalid/', ipv6: false },
      ],
      fetch: (url) =>
        url.includes('silent') ? new Promise(() => undefined) : Promise.resolve(new Response('192.0.2.4')),
      clock: own,
      log: silentLog,
    });
    const found = address.find(never());
    await own.advance(4_999);
    expect(own.sleepers()).toBe(1);
    await own.advance(1);
    expect(await found).toBe('192.0.2.4');
  });

  it('BS18 an answer other than 200 is skipped', async () => {
    answers[0] = { status: 203, body: '198.51.100.1' };
    answers[1] = { status: 500, body: '198.51.100.2' };
    expect(await finder().find(never())).toBe('198.51.100.3');
    expect(asked).toEqual([0, 1, 2]);
  });

  it.each([
    '',
    '1',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '256.1.1.1',
    '<html>',
    'fe80::1%eth0',
    '[::1]',
    '1.2.3.4:80',
    '1'.repeat(9999),
  ])('BS19 the body "%.20s" is skipped', async (body) => {
    answers[0] = good(body);
    expect(await finder().find(never())).toBe('198.51.100.2');
  });

  it('BS20 all five fail: null', async () => {
    answers = answers.map(() => ({ status: 503, body: '' }));
    expect(await finder().find(never())).toBeNull();
    expect(asked).toEqual([0, 1, 2, 3, 4]);
  });

  it('BS21 within an hour the address is remembered', async () => {
    const address = finder();
    await address.find(never());
    await clock.advance(3_600_000);
    expect(await address.find(never())).toBe('198.51.100.1');
    expect(asked).toEqual([0]);
    await clock.advance(1);
    await address.find(never());
    expect(asked).toEqual([0, 0]);
  });

  it('BS22 a forced refresh asks again', async () => {
    const address = finder();
    await address.find(never());
    answers[0] = good('198.51.100.9');
    expect(await address.find(never(), { refresh: true })).toBe('198.51.100.9');
  });

  it('BS23 what is remembered is null before, and when stale', async () => {
    const address = finder();
    expect(address.cached()).toBeNull();
    await address.find(never());
    expect(address.cached()).toBe('198.51.100.1');
    await clock.advance(3_600_001);
    expect(address.cached()).toBeNull();
  });

  it('BS24 preferring IPv6, the services that speak it are asked first', async () => {
    answers = answers.map(() => ({ status: 503, body: '' }));
    await finder().find(never(), { preferIpv6: true });
    expect(asked).toEqual([1, 3, 4, 0, 2]);
  });

  it('BS25 an IPv6 body is accepted', async () => {
    answers[0] = good('2001:db8::7\n');
    expect(await finder().find(never())).toBe('2001:db8::7');
  });

  it('asks no further when its caller no longer wants to know', async () => {
    const stop = new AbortController();
    const address = new PublicAddress({
      services: ADDRESS_SERVICES,
      fetch: () => new Promise(() => undefined),
      clock,
      log: silentLog,
    });
    const found = address.find(stop.signal);
    await settle();
    stop.abort();
    await expect(found).rejects.toThrow();
  });
});

it.each([
  ['127.0.0.1', 4],
  ['255.255.255.255', 4],
  ['::', 6],
  ['2001:DB8::1', 6],
  ['::ffff:1.2.3.4', 6],
  ['1.2.3.256', null],
  ['1.2.3.4.', null],
  ['12345::', null],
  ['1:2:3', null],
  [':::', null],
])('%s is of IP version %s', (text, version) => {
  expect(ipVersion(text)).toBe(version);
});

it.each(['8.8.8.8', '172.32.0.1', '100.128.0.1', '192.1.0.1', '2606:2800:21f::1', '2a00::1'])(
  '%s is public',
  (text) => {
    expect(isPublicIp(text)).toBe(true);
  },
);

it.each([
  ...[
    '10.1.1.1',
    '127.0.0.1',
    '172.16.0.1',
    '172.31.9.9',
    '192.168.1.1',
    '100.64.0.1',
    '169.254.1.1',
    '0.0.0.0',
    '224.0.0.1',
  ],
  ...[
    '255.255.255.255',
    '198.18.0.1',
    '203.0.113.9',
    'fd00::2',
    'fe80::1',
    '::1',
    '2001:db8::1',
    '2001::1',
    '2002::1',
    'x.local',
  ],
])('%s is not public', (text) => {
  expect(isPublicIp(text)).toBe(false);
});
