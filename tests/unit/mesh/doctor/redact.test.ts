import fc from 'fast-check';
import { base64url } from 'multiformats/bases/base64';
import { describe, expect, it } from 'vitest';
import type { DoctorProbes } from '../../../../src/contracts/doctor.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import type { PeerId } from '../../../../src/lib/ids.ts';
import { isLocalHost } from '../../../../src/mesh/doctor/local-host.ts';
import { createRedactor, redactJson } from '../../../../src/mesh/doctor/redact.ts';
import { spellings } from '../../../../src/mesh/doctor/spellings.ts';
import { runDoctor } from '../../../../src/mesh/doctor/run-doctor.ts';
import { reportText } from '../../../../src/app/mesh/doctor/report-text.ts';
import { healthyProbes, linkUnderTest, relayUnderTest } from '../../../support/doctor-probes.ts';

const redact = createRedactor([]);

describe('a report keeps to itself', () => {
  it.each([
    ['an invite', 'https://relay.example.org/#join=o2F2AWRyb29tUGFiY2RlZg was refused', 'o2F2AWRyb29tUGFiY2RlZg'],
    ['a bearer token', 'Authorization: Bearer tm_k3x9', 'tm_k3x9'],
    ['a named ticket', 'refused ticket=abc123', 'abc123'],
    ['credentials in a URL', 'turn:ann:hunter2@turn.example.org', 'hunter2'],
    ['a query', 'https://x.example.org/fetch?t=abc&u=1 failed', 't=abc'],
    ['a key in hexadecimal', 'got 0123456789abcdef0123456789abcdef', '0123456789abcdef'],
    ['the end of a public address', 'no answer from 81.2.69.142:443.', '142'],
    ['a public address in a multiaddr', '/ip4/81.2.69.142/tcp/443', '142'],
    ['the end of a public IPv6 address', 'from [2a00:1450:4001:82b::200e]:443', '200e'],
  ])('%s', (_what, text, secret) => {
    expect(text).toContain(secret);
    expect(redact(text)).not.toContain(secret);
  });
});

it.each([
  'relay.example.org:443 answered in 12 ms',
  '192.168.1.4:4747 does not answer, nor does [fe80::1]:80 or 127.0.0.1',
  'my-old-relay-in-the-cellar.example.org',
  'UnsupportedProtocolError: at 12:30:45',
  '/ip4/192.168.1.4/tcp/4747/ws/p2p/12D3KooWKnDdG3iXw9eTFijk3EWSunZcFi54Zka4wmtqtt6rPxc8',
])('leaves alone what is no secret: %s', (text) => {
  expect(redact(text)).toBe(text);
});

it('shortens public addresses so that the network can still be told', () => {
  expect(redact('81.2.69.142')).toBe('81.2.69.x');
  expect(redact('2a00:1450:4001:82b::200e')).toBe('2a00:1450:4001:x');
});

it('reaches every text of a JSON value', () => {
  const clean = createRedactor(['topsecret']);
  expect(redactJson({ a: ['topsecret', { b: 'a topsecret' }], n: 1, z: null }, clean)).toEqual({
    a: ['[hidden]', { b: 'a [hidden]' }],
    n: 1,
    z: null,
  });
});

it('lets no secret into a report, whoever quotes it', async () => {
  const bytes = fc.uint8Array({ minLength: 16, maxLength: 32 });
  await fc.assert(
    fc.asyncProperty(bytes, bytes, fc.string({ minLength: 6, maxLength: 30 }), async (known, unknown, password) => {
      // what a random key has in common with the words of a report is none of its secret
      fc.pre(!JSON.stringify(await report([], [])).includes(password));
      const secrets = [...spellings(known), base64url.baseEncode(unknown)];
      const texts = [...secrets, password];
      // the doctor is told of what it can know of; a stranger's token in an error it has to recognise
      const found = await report([...spellings(known), password], texts);
      const told = `${JSON.stringify(found)}\n${reportText(found, '1.0.0')}`;
      for (const secret of secrets) expect(told).not.toContain(secret);
      if (JSON.stringify(password) === `"${password}"`) expect(told).not.toContain(password);
    }),
    { numRuns: 60 },
  );
});

/** A report of probes all of which quote these texts wherever they can. */
function report(secrets: readonly string[], texts: readonly string[]) {
  const quote = texts.join(' ; ');
  const thrown = () => Promise.reject(new Error(`refused: ${quote}`));
  const probes: Partial<DoctorProbes> = {
    secureContext: () => Promise.resolve({ secure: false, origin: `http://a.example/${quote}` }),
    relayHealth: thrown,
    reachRelay: thrown,
    storage: thrown,
    relays: () => [{ ...relayUnderTest, ways: [{ host: `relay ${quote}`, origin: null }] }],
    iceServers: () => [{ urls: [`turn:turn.example.org ${quote}`], credential: quote }],
    ice: (servers) => (servers.length === 0 ? Promise.resolve({ candidates: [], answered: 0 }) : thrown()),
    connection: () => ({ state: 'refused', message: quote }),
    peers: () => [
      linkUnderTest({ link: 'relayed', name: quote }, { failure: quote }),
      linkUnderTest({ link: 'connecting', peer: 'peer-3' as PeerId }, { failure: quote }),
    ],
  };
  return runDoctor(texts.length === 0 ? healthyProbes() : healthyProbes(probes), {
    kind: 'tab',
    clock: systemClock,
    signal: new AbortController().signal,
    secrets,
  });
}

it.each([
  ['localhost:4747', true],
  ['127.0.0.1', true],
  ['10.0.0.7:4748/udp', true],
  ['192.168.1.4:80', true],
  ['[::1]:80', true],
  ['printer.local', true],
  ['app.localhost', true],
  ['relay.example.org:443', false],
  ['81.2.69.142:443', false],
  ['[2a00:1450:4001:82b::200e]:443', false],
])('%s is on the local network: %s', (host, local) => {
  expect(isLocalHost(host)).toBe(local);
});
