import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get as httpGet } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TabmeshError, type ErrorCode } from '../../src/lib/errors.ts';
import { MAX_BODY_BYTES } from '../../relay/http/mcp/limits.ts';
import { startTestRelay, type TestRelay, type TestRelayOptions } from '../support/relay-http.ts';
import { echoTool, memoryRoom, memoryTool } from '../support/room-tools.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function relayWith(options: TestRelayOptions = {}): Promise<TestRelay> {
  const relay = await startTestRelay(options);
  cleanups.push(() => relay.close());
  return relay;
}

function call(relay: TestRelay, tool: string, body?: string, init: RequestInit = {}) {
  return fetch(`${relay.urls.rest}/${tool}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${relay.tokens.owner}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body }),
    ...init,
  });
}

describe('the tools as REST', () => {
  it('are listed with their places, for the holder of a token', async () => {
    const relay = await relayWith();
    const response = await fetch(relay.urls.rest, { headers: { authorization: `Bearer ${relay.tokens.owner}` } });
    expect(await response.json()).toEqual({
      tools: [
        {
          ...echoTool.metadata,
          // another peer's words are marked as such, at every door
          description: '[Described by the peer “Amber Heron · 7f3k2q”, not by this relay] The echo tool.',
          places: [expect.objectContaining({ peer: '12D3KooWTab' })],
        },
      ],
    });
  });

  it('are called with their arguments as the body', async () => {
    const relay = await relayWith();
    const response = await call(relay, 'echo', '{"text":"hi"}');
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      result: { text: 'hi' },
      route: { chosen: { peer: '12D3KooWTab' }, candidates: [{ reasons: ['direct link'] }] },
    });
    expect(relay.rooms[0]?.calls[0]?.principal).toMatchObject({ kind: 'token', tokenId: 'owner' });
  });

  it('are called at the place that the caller names', async () => {
    const relay = await relayWith();
    await call(relay, 'echo?place=12D3KooWTab', '{"text":"hi"}');
    expect(relay.rooms[0]?.calls[0]?.place).toBe('12D3KooWTab');
    const twice = await call(relay, 'echo?place=a&place=b', '{"text":"hi"}');
    expect(twice.status).toBe(400);
    expect(await twice.json()).toMatchObject({ error: { code: 'invalid_input' } });
    expect(relay.rooms[0]?.calls).toHaveLength(1);
  });

  it.each([{ authorization: '' }, { authorization: 'Bearer tm_wrong' }, { authorization: 'Basic dG06dG0=' }])(
    'are refused to %j, and nothing runs',
    async (headers) => {
      const relay = await relayWith();
      for (const response of [
        await fetch(relay.urls.rest, { headers }),
        await call(relay, 'echo', '{}', { headers }),
      ]) {
        expect(response.status).toBe(401);
        expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
        expect(await response.json()).toMatchObject({ error: { code: 'unauthorized' } });
      }
      expect(relay.rooms[0]?.calls).toEqual([]);
    },
  );

  it.each<[ErrorCode, number]>([
    ['invalid_input', 400],
    ['forbidden', 403],
    ['not_found', 404],
    ['no_place', 503],
    ['timeout', 504],
    ['invalid_output', 502],
    ['quota_exceeded', 507],
  ])('report %s as status %i with the error in the body', async (code, status) => {
    const failing = memoryTool('failing', () => {
      throw new TabmeshError(code, 'because', { hint: 'do this' });
    });
    const relay = await relayWith({ memoryRooms: [memoryRoom('a', [failing])] });
    const response = await call(relay, 'failing', '{}');
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(await response.json()).toEqual({
      type: `urn:tabmesh:error:${code}`,
      title: expect.stringMatching(/^[A-Z][a-z ]+$/) as string,
      status,
      detail: 'because',
      error: { code, message: 'because', hint: 'do this', retryable: false, details: {} },
    });
  });

  it('tell when to try again', async () => {
    const busy = memoryTool('busy', () => {
      throw new TabmeshError('rate_limited', 'slower', { details: { retryAfterMs: 1500 } });
    });
    const relay = await relayWith({ memoryRooms: [memoryRoom('a', [busy])] });
    expect((await call(relay, 'busy', '{}')).headers.get('retry-after')).toBe('2');
  });

  it('refuse what is no call before anything runs', async () => {
    const relay = await relayWith();
    const cases: [Response, number, ErrorCode][] = [
      [await call(relay, 'echo', JSON.stringify({ text: 'x'.repeat(MAX_BODY_BYTES) })), 413, 'payload_too_large'],
      [await call(relay, 'echo', '{"text":'), 400, 'invalid_input'],
      [await call(relay, 'echo', '{"__proto__":{"a":1}}'), 400, 'invalid_input'],
      [await fetch(`${relay.urls.rest}/echo`), 401, 'unauthorized'],
      [await call(relay, 'echo', '{"text":"a","text":"b"}'), 400, 'invalid_input'],
    ];
    for (const [response, status, code] of cases) {
      expect([response.status, await response.json()]).toMatchObject([status, { error: { code } }]);
    }
    expect(relay.rooms[0]?.calls).toEqual([]);
    expect(await (await call(relay, 'nothing', '{}')).json()).toMatchObject({ error: { code: 'unknown_tool' } });
  });

  it('stop when the client goes away', async () => {
    const started = Promise.withResolvers<AbortSignal>();
    const waiting = memoryTool('waiting', (_args, { signal }) => {
      if (signal === undefined) throw new Error('no signal');
      started.resolve(signal);
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));
    });
    const relay = await relayWith({ memoryRooms: [memoryRoom('a', [waiting])] });
    const controller = new AbortController();
    const gone = expect(call(relay, 'waiting', '{}', { signal: controller.signal })).rejects.toThrow();
    const signal = await started.promise;
    const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
    controller.abort();
    await Promise.all([aborted, gone]);
  });

  it('are closed to pages of other origins', async () => {
    const relay = await relayWith();
    const headers = { authorization: `Bearer ${relay.tokens.owner}`, origin: 'https://evil.example' };
    expect((await fetch(relay.urls.rest, { headers })).status).toBe(403);
  });

  it('of a relay without a room are nowhere', async () => {
    const relay = await relayWith({ memoryRooms: [] });
    const response = await call(relay, 'echo', '{}');
    expect([response.status, await response.json()]).toMatchObject([503, { error: { code: 'no_place' } }]);
  });
});

describe('health', () => {
  it('/health says that the process is up, /ready that the peer answers', async () => {
    const relay = await relayWith();
    expect((await fetch(new URL('health', relay.urls.app))).status).toBe(200);
    expect((await fetch(new URL('ready', relay.urls.app))).status).toBe(200);
    expect(relay.rooms[0]?.calls[0]).toMatchObject({ tool: 'echo', place: '12D3KooWRelay' });
  });

  it('/ready fails when the peer does not answer, while /health is well', async () => {
    const relay = await relayWith({ memoryRooms: [memoryRoom('a', [])] });
    expect((await fetch(new URL('ready', relay.urls.app))).status).toBe(503);
    expect((await fetch(new URL('health', relay.urls.app))).status).toBe(200);
  });

  it('/config tells a tab about the relay', async () => {
    const relay = await relayWith();
    expect(await (await fetch(new URL('config', relay.urls.app))).json()).toMatchObject({ peerId: '12D3KooWRelay' });
  });
});

describe('the app', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tabmesh-app-'));
    await mkdir(join(folder, 'assets'));
    await writeFile(join(folder, 'index.html'), '<!doctype html><title>Tabmesh</title>');
    await writeFile(join(folder, 'sw.js'), '// worker');
    await writeFile(join(folder, 'manifest.webmanifest'), '{}');
    await writeFile(join(folder, 'assets', 'main-abc123.js'), `export {};//${'x'.repeat(5000)}`);
    await writeFile(join(folder, 'secret.txt'), 'not secret');
  });
  afterAll(() => rm(folder, { recursive: true }));

  const get = (relay: TestRelay, path: string, headers: Record<string, string> = {}) =>
    fetch(new URL(path, relay.urls.app), { headers: { accept: 'text/html', ...headers } });

  it('is served with its policy, hashed files for ever, the others after asking', async () => {
    const relay = await relayWith({ appFolder: folder });
    const page = await get(relay, '/');
    expect(await page.text()).toContain('Tabmesh');
    const headers = Object.fromEntries(page.headers);
    expect(headers).toMatchObject({
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
    });
    const policy = headers['content-security-policy'] ?? '';
    for (const rule of [
      "script-src 'self' 'wasm-unsafe-eval'",
      "object-src 'none'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ]) {
      expect(policy.split('; ')).toContain(rule);
    }
    expect(policy).not.toContain("'unsafe-eval'");
    expect(policy).toContain(`ws://127.0.0.1:${new URL(relay.urls.app).port}`);

    const script = await get(relay, '/assets/main-abc123.js', { 'accept-encoding': 'gzip' });
    expect(script.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(script.headers.get('content-type')).toContain('javascript');
    expect(script.headers.get('content-encoding')).toBe('gzip');
    expect(await script.text()).toContain('export {}');
    for (const path of ['/sw.js', '/manifest.webmanifest', '/index.html']) {
      expect((await get(relay, path)).headers.get('cache-control')).toBe('no-cache');
    }
    const etag = page.headers.get('etag') ?? '';
    expect(await revalidate(relay.urls.app, etag)).toBe(304);
  });

  /** as a browser does; Node's `fetch` would add "no-cache" */
  const revalidate = (url: string, etag: string) =>
    new Promise((resolve, reject) => {
      httpGet(url, { headers: { 'if-none-match': etag } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).once('error', reject);
    });

  it('answers each of its views with the page', async () => {
    const relay = await relayWith({ appFolder: folder });
    for (const path of ['/search', '/data/bafy', '/mesh?x=1', '/apiary']) {
      const view = await get(relay, path);
      expect([view.status, view.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
      expect(view.headers.get('cache-control')).toBe('no-cache');
    }
  });

  it.each([
    '/api',
    '/api/nothing',
    '/docs/nothing',
    '/metrics/nothing',
    '/openapi.json',
    '/.well-known/oauth-protected-resource',
    '/mcp/x',
    '/assets/gone-123.js',
    '/gone.js',
    '/..%2f..%2fetc%2fpasswd',
    '/%2e%2e/package.json',
    '/.env',
  ])('does not answer %s with the page', async (path) => {
    const relay = await relayWith({ appFolder: folder });
    const response = await get(relay, path);
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(await response.text()).not.toContain('<title>');
  });

  it('that has not been built says so', async () => {
    const relay = await relayWith();
    const response = await get(relay, '/');
    expect(response.status).toBe(503);
    expect(await response.text()).toContain('npm run build');
  });
});
