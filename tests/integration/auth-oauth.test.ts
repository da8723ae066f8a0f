import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey, type JWK } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { McpProvider } from '../../src/contracts/mcp.ts';
import type { PeerId } from '../../src/lib/ids.ts';
import { toolServing } from '../../src/mesh/rpc/mcp-server.ts';
import { createToolProvider } from '../../src/mesh/rpc/mcp-tools.ts';
import { api, codeOf } from '../support/api.ts';
import { memoryMcp } from '../support/memory-mcp.ts';
import { startTestRelay, type TestRelay } from '../support/relay-http.ts';
import { echoTool, memoryRoom, memoryTool } from '../support/room-tools.ts';

/** An identity provider on loopback: its keys, and whatever tokens a test wants of it. */
class IdentityProvider {
  readonly #server: Server;
  readonly keys: JWK[] = [];
  asked = 0;
  working = true;

  constructor() {
    this.#server = createServer((_request, response) => {
      this.asked++;
      response.writeHead(this.working ? 200 : 500, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ keys: this.keys }));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  async stop(): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async newKey(kid: string, alg = 'ES256'): Promise<CryptoKey> {
    const { publicKey, privateKey } = await generateKeyPair(alg);
    this.keys.push({ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' });
    return privateKey;
  }
}

const provider = new IdentityProvider();
let key: CryptoKey;
beforeAll(async () => {
  await provider.start();
  key = await provider.newKey('first');
});
afterAll(() => provider.stop());

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  provider.working = true;
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

const compute = memoryTool('embed', () => ({}), { access: 'compute' });

async function relayWith(args: readonly string[] = [], mcp = memoryMcp()): Promise<TestRelay> {
  const relay = await startTestRelay({
    memoryRooms: [memoryRoom('a', [echoTool, compute], mcp)],
    args: ['--oauth-issuer', provider.url, '--oauth-jwks', `${provider.url}/jwks`, ...args],
  });
  cleanups.push(() => relay.close());
  return relay;
}

const TAB = '12D3KooWTab' as PeerId;
const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
};
const LIST = { jsonrpc: '2.0', id: 3, method: 'tools/list' };

interface Claims {
  readonly iss?: string;
  readonly aud?: string | string[];
  readonly sub?: string | undefined;
  readonly scope?: string;
  /** seconds from now */
  readonly exp?: number | undefined;
  readonly nbf?: number;
}

async function jwt(relay: TestRelay, claims: Claims = {}, by = key, kid = 'first', alg = 'ES256'): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const { iss = provider.url, aud = relay.urls.mcp, scope = 'openid tabmesh:read', nbf } = claims;
  const sub = 'sub' in claims ? claims.sub : 'ada';
  const exp = 'exp' in claims ? claims.exp : 300;
  return await new SignJWT({
    iss,
    aud,
    scope,
    name: 'Ada Example',
    ...(sub === undefined ? {} : { sub }),
    ...(exp === undefined ? {} : { exp: now + exp }),
    ...(nbf === undefined ? {} : { nbf: now + nbf }),
  })
    .setProtectedHeader({ alg, kid })
    .sign(by);
}

describe('protected resource metadata (RFC 9728)', () => {
  it('names the identity provider, at both well-known addresses, and refusals lead there', async () => {
    const relay = await relayWith();
    for (const path of ['.well-known/oauth-protected-resource', '.well-known/oauth-protected-resource/mcp']) {
      const { status, body } = await api(relay, null, 'GET', path);
      expect([status, body]).toMatchObject([
        200,
        {
          resource: relay.urls.mcp,
          authorization_servers: [provider.url],
          scopes_supported: ['tabmesh:read', 'tabmesh:compute', 'tabmesh:write', 'tabmesh:admin'],
          bearer_methods_supported: ['header'],
        },
      ]);
    }
    const place = `resource_metadata="${new URL('.well-known/oauth-protected-resource/mcp', relay.urls.app).href}"`;
    for (const path of ['mcp', 'api/tools']) {
      const refused = await api(relay, null, 'GET', path);
      expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
        401,
        `Bearer realm="tabmesh", ${place}`,
      ]);
    }
    const narrow = await api(relay, await jwt(relay), 'POST', 'api/tools/embed', {});
    expect([narrow.status, narrow.headers.get('www-authenticate')]).toEqual([
      403,
      `Bearer realm="tabmesh", error="insufficient_scope", scope="tabmesh:compute", ${place}`,
    ]);
  });

  it('names the endpoint, whatever audience the tokens are to have (RFC 9728 §3.3)', async () => {
    const relay = await relayWith(['--oauth-audience', 'lab']);
    const { body } = await api(relay, null, 'GET', '.well-known/oauth-protected-resource/mcp');
    expect(body).toMatchObject({ resource: relay.urls.mcp });
  });

  it('is nowhere without an identity provider', async () => {
    const relay = await startTestRelay();
    cleanups.push(() => relay.close());
    expect((await api(relay, null, 'GET', '.well-known/oauth-protected-resource')).status).toBe(404);
    expect((await api(relay, null, 'GET', 'api/tools')).headers.get('www-authenticate')).toBe('Bearer realm="tabmesh"');
  });
});

describe('tokens of an identity provider', () => {
  it('are good for the classes that their scopes name, for one principal a person', async () => {
    const relay = await relayWith();
    const token = await jwt(relay, { scope: 'tabmesh:read tabmesh:compute' });
    expect((await api(relay, token, 'POST', 'api/tools/embed', {})).status).toBe(200);
    await api(relay, await jwt(relay), 'POST', 'api/tools/echo', { text: '' });
    await api(relay, await jwt(relay, { sub: 'grace' }), 'POST', 'api/tools/echo', { text: '' });
    const principals = (relay.rooms[0]?.calls ?? []).map(({ principal }) => principal);
    expect(principals[0]).toMatchObject({ name: 'Ada Example', scope: { classes: ['read', 'compute'], tools: null } });
    const ids = principals.map((principal) => (principal.kind === 'token' ? principal.tokenId : ''));
    expect([ids[1] === ids[0], ids[2] === ids[0]]).toEqual([true, false]);
    // what travels is who it is: never the token
    expect(JSON.stringify(relay.rooms[0]?.calls)).not.toContain(token.split('.')[2]);
    expect((await api(relay, relay.tokens.owner, 'GET', 'api/tools')).status).toBe(200);
  });

  it('count in a session for what the one of each request grants, not for what its first did', async () => {
    const asked: unknown[] = [];
    const own = createToolProvider(
      { list: () => [compute.metadata], call: () => Promise.resolve({ ok: true, value: {}, route: null, tookMs: 0 }) },
      () => toolServing('tab', '0'),
    );
    const provider: McpProvider = {
      ...own,
      request(method, params, context) {
        const { principal } = context;
        if (principal.kind === 'token') asked.push([method, principal.scope?.classes]);
        return own.request(method, params, context);
      },
    };
    const mcp = memoryMcp(undefined, new Map([[TAB, provider]]));
    const relay = await relayWith([], mcp);
    const wide = await jwt(relay, { scope: 'tabmesh:read tabmesh:compute' });
    const ask = async (path: string, token: string, body: unknown, session: Record<string, string> = {}) =>
      await api(relay, token, 'POST', path, body, { accept: 'application/json, text/event-stream', ...session });
    const begin = async (path: string, token: string) => {
      const { headers } = await ask(path, token, INITIALIZE);
      return { 'mcp-session-id': headers.get('mcp-session-id') ?? '' };
    };
    const listed = async (token: string, session: Record<string, string>) =>
      String((await ask('mcp', token, LIST, session)).body).includes('embed');

    const narrow = await jwt(relay);
    const begun = await begin('mcp', narrow);
    expect([await listed(wide, begun), await listed(narrow, begun)]).toEqual([true, false]);

    // at one peer: what is signed for the call is what the token of this request grants
    const there = await begin(
      `mcp/peers/${TAB}`,
      await jwt(relay, { scope: 'tabmesh:read tabmesh:compute tabmesh:write' }),
    );
    const call = { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'embed', arguments: {} } };
    expect((await ask(`mcp/peers/${TAB}`, wide, call, there)).status).toBe(200);
    expect((await ask(`mcp/peers/${TAB}`, wide, LIST, there)).status).toBe(200);
    expect(asked).toEqual([
      ['tools/call', ['read', 'compute']],
      ['tools/list', ['read', 'compute']],
    ]);
  });

  it('watch resources only with a token that may read them, whatever the session began with', async () => {
    const own: McpProvider = {
      discover: () => ({
        serverInfo: { name: 'relay', version: '0' },
        capabilities: { tools: {}, resources: { subscribe: true } },
      }),
      request: () => Promise.resolve({ resources: [] }),
    };
    const relay = await relayWith([], memoryMcp(own));
    const ask = async (token: string, body: unknown, session: Record<string, string> = {}) =>
      await api(relay, token, 'POST', 'mcp', body, { accept: 'application/json, text/event-stream', ...session });
    const wide = await jwt(relay, { scope: 'tabmesh:read tabmesh:compute' });
    const narrow = await jwt(relay, { scope: 'tabmesh:compute' });
    const { headers } = await ask(wide, INITIALIZE);
    const session = { 'mcp-session-id': headers.get('mcp-session-id') ?? '' };
    const watch = { jsonrpc: '2.0', id: 4, method: 'resources/subscribe', params: { uri: 'dataset://x' } };
    const [refused, taken] = [await ask(narrow, watch, session), await ask(wide, watch, session)];
    expect(JSON.stringify(refused.body)).toContain('this token may not read the room');
    expect(String(taken.body)).toContain('"result":{}');

    // on the stateless wire each request is its own
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const listen = {
      jsonrpc: '2.0',
      id: 5,
      method: 'subscriptions/listen',
      params: { notifications: { resourceSubscriptions: ['dataset://x'] }, _meta: meta },
    };
    const stateless = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'subscriptions/listen' };
    const later = await ask(narrow, listen, stateless);
    expect([later.status, JSON.stringify(later.body)]).toEqual([
      403,
      expect.stringContaining('this token may not read the room') as string,
    ]);
    const stop = new AbortController();
    const open = await fetch(new URL('mcp', relay.urls.app), {
      method: 'POST',
      headers: {
        ...{ authorization: `Bearer ${wide}`, 'content-type': 'application/json' },
        ...{ accept: 'application/json, text/event-stream', ...stateless },
      },
      body: JSON.stringify(listen),
      signal: stop.signal,
    });
    expect([open.status, open.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    stop.abort();
  });

  it.each<[string, Claims]>([
    ['of another issuer', { iss: 'https://evil.example' }],
    ['for another audience', { aud: 'https://other.example/mcp' }],
    ['that have expired', { exp: -120 }],
    ['that never expire', { exp: undefined }],
    ['that are for later', { nbf: 120 }],
    ['of nobody', { sub: undefined }],
  ])('%s are refused', async (_what, claims) => {
    const relay = await relayWith();
    const refused = await api(relay, await jwt(relay, claims), 'POST', 'api/tools/echo', { text: '' });
    expect([refused.status, codeOf(refused)]).toEqual([401, 'unauthorized']);
    expect(refused.headers.get('www-authenticate')).toContain('error="invalid_token"');
    expect(relay.rooms[0]?.calls).toEqual([]);
  });

  it.each<[string, Claims]>([
    ['among others', { aud: ['https://other.example', 'lab'] }],
    ['whose clock is a little behind', { aud: 'lab', exp: -30 }],
    ['whose clock is a little ahead', { aud: 'lab', nbf: 30 }],
  ])('for the audience that was set, %s, are taken', async (_what, claims) => {
    const relay = await relayWith(['--oauth-audience', 'lab']);
    expect((await api(relay, await jwt(relay, claims), 'GET', 'api/tools')).status).toBe(200);
    expect((await api(relay, await jwt(relay), 'GET', 'api/tools')).status).toBe(401);
  });

  it('that grant nothing here, or are signed by nobody, or by another, or with a shared secret, are refused', async () => {
    const relay = await relayWith();
    expect((await api(relay, await jwt(relay, { scope: 'openid' }), 'GET', 'api/tools')).status).toBe(403);
    const { privateKey } = await generateKeyPair('ES256');
    const claims = { iss: provider.url, aud: relay.urls.mcp, sub: 'ada', scope: 'tabmesh:read' };
    const unsigned = new UnsecuredJWT(claims).setExpirationTime('5m').encode();
    // the public key as a secret: a checker that lets the token choose the algorithm takes it
    const secret = new TextEncoder().encode(JSON.stringify(provider.keys[0]));
    const shared = new SignJWT(claims).setExpirationTime('5m').setProtectedHeader({ alg: 'HS256', kid: 'first' });
    for (const token of [
      await jwt(relay, {}, privateKey),
      unsigned,
      `${unsigned}AAAA`,
      await shared.sign(secret),
      `${await jwt(relay)}x`,
      `a.${'b'.repeat(10_000)}.c`,
    ]) {
      expect((await api(relay, token, 'GET', 'api/tools')).status).toBe(401);
    }
    expect((await api(relay, await jwt(relay), 'GET', 'api/tools')).status).toBe(200);
  });

  it('are checked with kept keys; a new key is learnt, but nobody can make the relay ask all the time', async () => {
    const relay = await relayWith();
    await api(relay, await jwt(relay), 'GET', 'api/tools');
    const before = provider.asked;
    for (let i = 0; i < 5; i++) await api(relay, await jwt(relay), 'GET', 'api/tools');
    const { privateKey } = await generateKeyPair('ES256');
    for (let i = 0; i < 5; i++) {
      const unknown = await jwt(relay, {}, privateKey, `made-up-${String(i)}`);
      expect((await api(relay, unknown, 'GET', 'api/tools')).status).toBe(401);
    }
    expect(provider.asked - before).toBeLessThanOrEqual(1);
  });

  it('are told apart from a provider that does not answer', async () => {
    const relay = await relayWith();
    provider.working = false;
    const refused = await api(relay, await jwt(relay), 'GET', 'api/tools');
    expect([refused.status, codeOf(refused)]).toEqual([502, 'upstream_unreachable']);
    expect((await api(relay, relay.tokens.owner, 'GET', 'api/tools')).status).toBe(200);
  });

  it('cannot look after the relay’s own tokens, or read its audit log', async () => {
    const relay = await relayWith();
    const token = await jwt(relay, { scope: 'tabmesh:read tabmesh:compute tabmesh:write tabmesh:admin' });
    for (const path of ['api/tokens', 'api/audit']) expect((await api(relay, token, 'GET', path)).status).toBe(403);
  });
});
