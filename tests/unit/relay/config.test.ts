import fc from 'fast-check';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig, type Config } from '../../../relay/config/parse.ts';
import { relayUrls } from '../../../relay/config/urls.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import { parseRelayAddress } from '../../../src/mesh/node/relay-address.ts';

function parse(args: readonly string[], env: Record<string, string> = {}): Config {
  const config = parseConfig(args, env);
  if (config === 'help') throw new Error('help');
  return config;
}

describe('the command line', () => {
  it('has defaults that a first start needs', () => {
    expect(parse([])).toEqual({
      port: 8787,
      host: '127.0.0.1',
      publicUrl: null,
      tls: null,
      trustProxy: false,
      dataDir: resolve('.tabmesh'),
      room: { kind: 'own' },
      openRelay: false,
      webrtcDirect: null,
      ice: { stun: [], turn: [], turnSecretFile: null },
      demo: false,
      upstreams: new Map(),
      contact: 'unset@tabmesh.invalid',
      json: false,
    });
  });

  it('wins over the environment', () => {
    const env = { TABMESH_PORT: '1', TABMESH_JSON: 'yes', TABMESH_UPSTREAM: 'pubmed=http://a/ uniprot=http://b' };
    expect(parse([], env)).toMatchObject({ port: 1, json: true });
    expect([...parse([], env).upstreams]).toEqual([
      ['https://eutils.ncbi.nlm.nih.gov', 'http://a'],
      ['https://rest.uniprot.org', 'http://b'],
    ]);
    expect(parse(['--port', '2'], env).port).toBe(2);
    expect([...parse(['--upstream', 'pubmed=http://c/base/'], env).upstreams.values()]).toEqual(['http://c/base']);
  });

  it('says help before anything is checked', () => {
    expect(parseConfig(['--help', '--port', 'x'], {})).toBe('help');
  });

  it('takes IPv6 with and without brackets', () => {
    expect(parse(['--host', '[::1]']).host).toBe('::1');
    expect(parse(['--host', '::']).host).toBe('::');
  });

  it('refuses anything else with one line, whatever it is given', () => {
    const option = fc.constantFrom('port', 'host', 'public-url', 'tls-cert', 'data', 'room', 'upstream');
    fc.assert(
      fc.property(fc.array(fc.tuple(option, fc.string({ unit: 'binary' }))), (pairs) => {
        try {
          parseConfig(
            pairs.map(([name, value]) => `--${name}=${value}`),
            {},
          );
        } catch (error) {
          expect(error).toBeInstanceOf(TabmeshError);
          expect((error as TabmeshError).code).toBe('invalid_input');
          expect((error as TabmeshError).message).not.toContain('\n');
        }
      }),
    );
  });

  it('does not repeat the secret of a bad invite', () => {
    expect(() => parse(['--room', ''])).toThrow(/--room/);
    expect(() => parse(['--room', 'secret', '--no-room'])).not.toThrow(/secret/);
  });
});

describe('the URLs of a relay', () => {
  const urls = (args: readonly string[], port = 8787, lan: readonly string[] = []) => relayUrls(parse(args), port, lan);

  it('derive from the address it listens on', () => {
    expect(urls([], 1234)).toEqual({
      app: 'http://127.0.0.1:1234/',
      mcp: 'http://127.0.0.1:1234/mcp',
      rest: 'http://127.0.0.1:1234/api/tools',
      fetch: 'http://127.0.0.1:1234/fetch',
      origins: ['http://127.0.0.1:1234', 'http://localhost:1234', 'http://[::1]:1234'],
      hosts: ['127.0.0.1:1234', 'localhost:1234', '[::1]:1234'],
      announce: ['/ip4/127.0.0.1/tcp/1234/ws'],
      secure: true,
    });
  });

  it('derive from the public URL, while loopback stays its own', () => {
    const behindProxy = urls(['--public-url', 'https://relay.example.org']);
    expect(behindProxy).toMatchObject({
      app: 'https://relay.example.org/',
      mcp: 'https://relay.example.org/mcp',
      announce: ['/dns4/relay.example.org/tcp/443/tls/ws'],
      secure: true,
    });
    expect(behindProxy.origins).toContain('https://relay.example.org');
    expect(behindProxy.origins).toContain('http://127.0.0.1:8787');
    expect(behindProxy.hosts).toContain('relay.example.org');
  });

  it.each([
    [['--host', '::1'], '/ip6/::1/tcp/8787/ws'],
    [['--host', 'localhost'], '/ip4/127.0.0.1/tcp/8787/ws'],
    [['--host', 'box.lan'], '/dns4/box.lan/tcp/8787/ws'],
    [['--tls-cert', 'c', '--tls-key', 'k'], '/ip4/127.0.0.1/tcp/8787/tls/ws'],
    [['--public-url', 'http://[2001:db8::1]:81'], '/ip6/2001:db8::1/tcp/81/ws'],
    [['--public-url', 'https://192.0.2.7:8443'], '/ip4/192.0.2.7/tcp/8443/tls/ws'],
  ])('%j is announced as %s', (args, address) => {
    expect(urls(args).announce).toEqual([address]);
    expect(() =>
      parseRelayAddress(`${address}/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN`),
    ).not.toThrow();
  });

  it('name every address of the machine when it listens on all of them', () => {
    const open = urls(['--host', '0.0.0.0'], 8787, ['192.168.1.5', 'fd00::5']);
    expect(open.announce).toEqual([
      '/ip4/127.0.0.1/tcp/8787/ws',
      '/ip4/192.168.1.5/tcp/8787/ws',
      '/ip6/fd00::5/tcp/8787/ws',
    ]);
    expect(open.origins).toContain('http://192.168.1.5:8787');
  });

  it.each([
    [['--host', '192.168.1.5'], false],
    [['--host', '192.168.1.5', '--tls-cert', 'c', '--tls-key', 'k'], true],
    [['--host', '0.0.0.0', '--public-url', 'http://relay.example.org'], false],
    [['--host', 'localhost'], true],
  ])('know for %j whether browsers count them as secure: %s', (args, secure) => {
    expect(urls(args).secure).toBe(secure);
  });
});
