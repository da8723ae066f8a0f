import fc from 'fast-check';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { helpText } from '../../../relay/config/help.ts';
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
      outside: { natStun: [], ipServices: [], github: null },
      corsOrigins: [],
      oauth: null,
      auditArguments: false,
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

  it('takes origins that may call, exactly as browsers write them', () => {
    const origins = ['https://app.example.org', 'http://localhost:6274'];
    expect(parse(origins.flatMap((origin) => ['--cors-origin', origin])).corsOrigins).toEqual(origins);
    for (const bad of [
      '*',
      'null',
      'https://app.example.org/',
      'app.example.org',
      'file://',
      'https://APP.example.org',
    ]) {
      expect(() => parse(['--cors-origin', bad])).toThrow(/--cors-origin/);
    }
  });

  it('takes an identity provider whose keys nobody can change on their way', () => {
    const issuer = ['--oauth-issuer', 'https://id.example.org'];
    expect(parse([...issuer, '--oauth-jwks', 'https://id.example.org/jwks']).oauth).toEqual({
      issuer: 'https://id.example.org',
      audience: null,
      jwks: new URL('https://id.example.org/jwks'),
    });
    expect(
      parse([...issuer, '--oauth-jwks', 'http://127.0.0.1:9/jwks', '--oauth-audience', 'lab']).oauth,
    ).toMatchObject({
      audience: 'lab',
    });
    for (const bad of [
      issuer,
      ['--oauth-audience', 'lab'],
      [...issuer, '--oauth-jwks', 'http://id.example.org/jwks'],
    ]) {
      expect(() => parse(bad)).toThrow(TabmeshError);
    }
  });

  it('says help before anything is checked', () => {
    expect(parseConfig(['--help', '--port', 'x'], {})).toBe('help');
  });

  it('takes IPv6 with and without brackets', () => {
    expect(parse(['--host', '[::1]']).host).toBe('::1');
    expect(parse(['--host', '::']).host).toBe('::');
  });

  it('refuses anything else with one line, whatever it is given', () => {
    const option = fc.constantFrom(
      'port',
      'host',
      'public-url',
      'tls-cert',
      'data',
      'room',
      'upstream',
      'nat-stun',
      'ip-service',
      'github-api',
    );
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

describe('services outside', () => {
  const outside = (args: readonly string[], env = {}) => parse(args, env).outside;

  it('are those that are named, in that order', () => {
    expect(outside(['--nat-stun', 'stun:a.example', '--nat-stun', 'stun:[2001:db8::1]:3479']).natStun).toEqual([
      'stun:a.example',
      'stun:[2001:db8::1]:3479',
    ]);
    const own = ['--ip-service', 'https://ip.example.org', '--ip-service', 'http://127.0.0.1:81/ip'];
    expect(outside(own).ipServices.map(({ url }) => url)).toEqual([
      'https://ip.example.org/',
      'http://127.0.0.1:81/ip',
    ]);
    expect(outside(['--ip-service', 'usual']).ipServices.map(({ url }) => new URL(url).host)).toEqual([
      'api.ipify.org',
      'api64.ipify.org',
      'checkip.amazonaws.com',
      'icanhazip.com',
      'ifconfig.me',
    ]);
    expect(outside(['--github-registry', 'the-lab/peers', '--github-token-file', 't']).github).toEqual({
      owner: 'the-lab',
      repo: 'peers',
      api: 'https://api.github.com',
      tokenFile: resolve('t'),
    });
  });

  it('may be named by the environment', () => {
    expect(
      outside([], {
        TABMESH_NAT_STUN: 'stun:a.example, stun:b.example',
        TABMESH_IP_SERVICE: 'usual',
        TABMESH_GITHUB_REGISTRY: 'a/b',
        TABMESH_GITHUB_TOKEN_FILE: '/t',
        TABMESH_GITHUB_API: 'https://github.example.org/api/v3/',
      }),
    ).toMatchObject({
      natStun: ['stun:a.example', 'stun:b.example'],
      ipServices: { length: 5 },
      github: { owner: 'a', repo: 'b', api: 'https://github.example.org/api/v3', tokenFile: '/t' },
    });
  });

  it.each([
    [['--nat-stun', 'turn:a.example'], /--nat-stun .*stun:/],
    [['--nat-stun', 'stuns:a.example'], /--nat-stun/],
    [['a', 'b', 'c', 'd'].flatMap((host) => ['--nat-stun', `stun:${host}`]), /at most 3/],
    [['--ip-service', 'ifconfig.me'], /--ip-service .*usual, or an https URL/],
    [['--ip-service', 'http://ip.example.org'], /--ip-service/],
    [['--ip-service', 'https://me:pw@ip.example.org'], /--ip-service/],
    [['--ip-service', 'usual', '--ip-service', 'usual', '--ip-service', 'https://a.example'], /at most 10/],
    [['--ip-service', 'usual', '--no-room'], /with --no-room it has none/],
    [['--github-registry', 'a/b'], /--github-token-file go together/],
    [['--github-token-file', 't'], /--github-registry and/],
    [['--github-api', 'https://a.example'], /--github-registry and/],
    [['--github-registry', 'https://github.com/a/b', '--github-token-file', 't'], /a repository such as/],
    [['--github-registry', 'a/..', '--github-token-file', 't'], /a repository such as/],
    [['--github-registry', 'a/b', '--github-token-file', 't', '--github-api', 'http://a.example'], /an https URL/],
  ])('%j are refused', (args, message) => {
    expect(() => parse(args)).toThrow(message);
  });

  it('are in the help, each with its default', () => {
    for (const option of ['nat-stun', 'ip-service', 'github-registry', 'github-token-file', 'github-api']) {
      expect(helpText()).toMatch(new RegExp(`--${option} [A-Z/]+ +\\S`));
    }
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
