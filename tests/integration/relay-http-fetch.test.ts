import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { FETCH_LIMITS } from '../../relay/http/fetch/limits.ts';
import { FETCH_QUOTA } from '../../relay/http/fetch/quota.ts';
import type { DeviceId, RoomId } from '../../src/lib/ids.ts';
import { startTestRelay, type TestRelay, type TestRelayOptions } from '../support/relay-http.ts';
import { startUpstream } from '../support/http-listener.ts';

const PUBMED = 'https://eutils.ncbi.nlm.nih.gov';
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

/** A relay whose "pubmed" is `listener`. */
async function relayTo(listener: RequestListener, options: TestRelayOptions = {}): Promise<TestRelay> {
  const upstream = await startUpstream(listener);
  cleanups.push(() => upstream.close());
  return await relayWith({ ...options, args: ['--upstream', `pubmed=${upstream.url}`] });
}

async function relayWith(options: TestRelayOptions = {}): Promise<TestRelay> {
  const relay = await startTestRelay(options);
  cleanups.push(() => relay.close());
  return relay;
}

const holder = { room: 'room-a' as RoomId, device: 'device-a' as DeviceId };

function ask(relay: TestRelay, url: string, headers: Record<string, string> = {}, init: RequestInit = {}) {
  const { ticket } = relay.tickets.issue(holder);
  return fetch(`${relay.urls.fetch}?url=${encodeURIComponent(url)}`, {
    ...init,
    headers: { authorization: `Bearer ${ticket}`, ...headers },
  });
}

async function errorOf(response: Response): Promise<{ status: number; code: unknown; header: string | null }> {
  const body = (await response.json()) as { error: { code: string } };
  return { status: response.status, code: body.error.code, header: response.headers.get('tabmesh-error') };
}

const error = (status: number, code: string) => ({ status, code, header: code });

describe('GET /fetch', () => {
  it('passes on the answer, and of headers only what a client of the service reads', async () => {
    const seen: IncomingMessage[] = [];
    const relay = await relayTo((request, response) => {
      seen.push(request);
      response.writeHead(429, {
        'content-type': 'text/xml',
        'retry-after': '7',
        'x-ratelimit-remaining': '0',
        'set-cookie': 'a=b',
        'access-control-allow-origin': '*',
      });
      response.end('<slow/>');
    });
    const response = await ask(relay, `${PUBMED}/entrez/eutils/esearch.fcgi?term=a%20b&x=1`, {
      cookie: 'secret=1',
      accept: 'text/xml',
      'x-custom': 'yes',
    });
    expect(response.status).toBe(429);
    expect(await response.text()).toBe('<slow/>');
    expect(response.headers.get('tabmesh-error')).toBeNull();
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/xml',
      'retry-after': '7',
      'x-ratelimit-remaining': '0',
      'content-security-policy': "sandbox; default-src 'none'",
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
    expect(response.headers.get('set-cookie')).toBeNull();
    expect(response.headers.get('access-control-allow-origin')).toBeNull();

    const request = seen[0];
    expect(request?.url).toBe('/entrez/eutils/esearch.fcgi?term=a%20b&x=1');
    expect(Object.keys(request?.headers ?? {}).sort()).toEqual(
      ['accept', 'accept-encoding', 'connection', 'host', 'user-agent'].sort(),
    );
    expect(request?.headers['user-agent']).toMatch(/^Tabmesh\//);
    expect(request?.headers.accept).toBe('text/xml');
  });

  it('unpacks what the service has compressed', async () => {
    const relay = await relayTo((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('hello'));
    });
    const response = await ask(relay, `${PUBMED}/`);
    expect(await response.text()).toBe('hello');
    expect(response.headers.get('content-encoding')).toBeNull();
  });

  it.each([
    ['no ticket', {}],
    ['an unknown ticket', { authorization: 'Bearer tmf_wrong' }],
  ])('refuses %s before anything is asked', async (_what, headers) => {
    let asked = 0;
    const relay = await relayTo((_request, response) => {
      asked++;
      response.end();
    });
    const response = await fetch(`${relay.urls.fetch}?url=${encodeURIComponent(PUBMED)}`, { headers });
    expect(await errorOf(response)).toEqual(error(401, 'unauthorized'));
    expect(asked).toBe(0);
  });

  it("refuses an MCP client's token as a ticket", async () => {
    const relay = await relayWith();
    const response = await ask(relay, PUBMED, { authorization: `Bearer ${relay.tokens.owner}` });
    expect(await errorOf(response)).toEqual(error(401, 'unauthorized'));
  });

  it('answers pages of its own origin only', async () => {
    const relay = await relayTo((_request, response) => response.end('ok'));
    const { origin } = new URL(relay.urls.app);
    const own = await ask(relay, `${PUBMED}/`, { origin });
    expect(own.headers.get('access-control-allow-origin')).toBe(origin);
    expect(own.headers.get('vary')).toMatch(/origin/i);
    const foreign = await ask(relay, `${PUBMED}/`, { origin: 'https://evil.example' });
    expect(await errorOf(foreign)).toEqual(error(403, 'forbidden'));
    expect(foreign.headers.get('access-control-allow-origin')).toBeNull();

    const preflight = await fetch(relay.urls.fetch, { method: 'OPTIONS', headers: { origin } });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization');
    const other = await fetch(relay.urls.fetch, { method: 'OPTIONS', headers: { origin: 'null' } });
    expect(other.status).toBe(403);
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH'])('does not take %s', async (method) => {
    const relay = await relayWith();
    expect((await ask(relay, PUBMED, {}, { method })).status).toBe(404);
  });

  it('limits how often a ticket is used', async () => {
    const relay = await relayTo((_request, response) => response.end('ok'), {
      fetchQuota: { ...FETCH_QUOTA, rate: { burst: 2, perSecond: 0.1 } },
    });
    const { ticket } = relay.tickets.issue(holder);
    const headers = { authorization: `Bearer ${ticket}` };
    const statuses: number[] = [];
    for (let i = 0; i < 3; i++) statuses.push((await ask(relay, `${PUBMED}/`, headers)).status);
    expect(statuses).toEqual([200, 200, 429]);
    expect((await ask(relay, `${PUBMED}/`)).status).toBe(200);
  });

  it('limits how many requests of a ticket run at once, and frees the slot when a client leaves', async () => {
    const held: ServerResponse[] = [];
    const relay = await relayTo((_request, response) => held.push(response), {
      fetchQuota: { ...FETCH_QUOTA, runningPerTicket: 1 },
    });
    const { ticket } = relay.tickets.issue(holder);
    const headers = { authorization: `Bearer ${ticket}` };
    const controller = new AbortController();
    const first = ask(relay, `${PUBMED}/`, headers, { signal: controller.signal });
    const gone = expect(first).rejects.toThrow();
    await expect.poll(() => held.length).toBe(1);
    const closed = new Promise((resolve) => held[0]?.once('close', resolve));
    expect(await errorOf(await ask(relay, `${PUBMED}/`, headers))).toEqual(error(429, 'rate_limited'));
    controller.abort();
    // the request upstream ends with the client's
    await Promise.all([gone, closed]);
    const again = ask(relay, `${PUBMED}/`, headers);
    await expect.poll(() => held.length).toBe(2);
    held[1]?.end('ok');
    expect((await again).status).toBe(200);
  });
});

describe('a service that misbehaves', () => {
  const limits = { maxBytes: 64 * 1024, totalMs: 600, connectMs: 300, idleMs: 300 };
  const bounded = { upstreams: { limits } };

  it('by silence gives a timeout', async () => {
    const relay = await relayTo(() => undefined, bounded);
    expect(await errorOf(await ask(relay, `${PUBMED}/`))).toEqual(error(504, 'timeout'));
  });

  it('by silence after the headers gives a timeout', async () => {
    const relay = await relayTo((_request, response) => response.flushHeaders(), bounded);
    expect(await errorOf(await ask(relay, `${PUBMED}/`))).toEqual(error(504, 'timeout'));
  });

  it('by dripping for ever is cut off at the time limit', async () => {
    const relay = await relayTo((_request, response) => {
      const timer = setInterval(() => response.write('x'), 20);
      response.once('close', () => {
        clearInterval(timer);
      });
    }, bounded);
    const response = await ask(relay, `${PUBMED}/`);
    await expect(response.text()).rejects.toThrow();
  });

  it('by an endless body is cut off at the size limit', async () => {
    let sent = 0;
    const relay = await relayTo((_request, response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(16 * 1024))) sent += 16 * 1024;
      };
      response.on('drain', more);
      more();
    }, bounded);
    const response = await ask(relay, `${PUBMED}/`);
    await expect(response.arrayBuffer()).rejects.toThrow();
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  it('by announcing too much is refused at once', async () => {
    const relay = await relayTo((_request, response) => {
      response.writeHead(200, { 'content-length': String(limits.maxBytes + 1) });
      response.write('x');
    }, bounded);
    expect(await errorOf(await ask(relay, `${PUBMED}/`))).toEqual(error(502, 'upstream_too_large'));
  });

  it('by a body that unpacks to too much is cut off', async () => {
    const bomb = gzipSync(Buffer.alloc(50 * limits.maxBytes));
    expect(bomb.byteLength).toBeLessThan(limits.maxBytes);
    const relay = await relayTo((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
    }, bounded);
    const response = await ask(relay, `${PUBMED}/`);
    if (response.ok) await expect(response.arrayBuffer()).rejects.toThrow();
    else expect(await errorOf(response)).toEqual(error(502, 'upstream_too_large'));
  });

  it.each([
    ['claims gzip and sends something else', { 'content-encoding': 'gzip' }],
    ['sends an encoding that was not asked for', { 'content-encoding': 'br' }],
  ])('that %s is malformed', async (_what, headers) => {
    const relay = await relayTo((_request, response) => response.writeHead(200, headers).end('hello'), bounded);
    expect(await errorOf(await ask(relay, `${PUBMED}/`))).toEqual(error(502, 'upstream_malformed'));
  });

  it('by not speaking HTTP is malformed', async () => {
    const relay = await relayTo((request) => request.socket.end('SSH-2.0-OpenSSH\r\n'), bounded);
    expect(await errorOf(await ask(relay, `${PUBMED}/`))).toEqual(error(502, 'upstream_malformed'));
  });

  it('by hanging up is unreachable, as is one that is not there', async () => {
    const relay = await relayTo((request) => request.socket.destroy(), bounded);
    expect(await errorOf(await ask(relay, `${PUBMED}/`))).toEqual(error(502, 'upstream_unreachable'));

    const gone = await startUpstream(() => undefined);
    await gone.close();
    const alone = await relayWith({ args: ['--upstream', `pubmed=${gone.url}`] });
    expect(await errorOf(await ask(alone, `${PUBMED}/`))).toEqual(error(502, 'upstream_unreachable'));
  });
});

describe('redirects', () => {
  const redirecting = (location: (request: IncomingMessage) => string | undefined, status = 302) =>
    relayTo((request, response) => {
      const to = location(request);
      if (to === undefined) response.end(`at ${request.url ?? ''}`);
      else response.writeHead(status, { location: to }).end();
    });

  it.each([301, 302, 303, 307, 308])('of status %i are followed within the service', async (status) => {
    const relay = await redirecting(({ url }) => (url === '/a' ? '/b?c=d' : undefined), status);
    expect(await (await ask(relay, `${PUBMED}/a`)).text()).toBe('at /b?c=d');
  });

  it('are followed five times and no more', async () => {
    const relay = await redirecting(({ url }) => {
      const n = Number(url?.slice(1));
      return n > 0 ? `/${String(n - 1)}` : undefined;
    });
    expect(await (await ask(relay, `${PUBMED}/5`)).text()).toBe('at /0');
    expect(await errorOf(await ask(relay, `${PUBMED}/6`))).toEqual(error(403, 'upstream_blocked'));
  });

  it.each([
    'http://127.0.0.1/',
    'http://169.254.169.254/latest/meta-data',
    'https://evil.example/',
    'http://eutils.ncbi.nlm.nih.gov/',
    'https://user@eutils.ncbi.nlm.nih.gov/',
    'https://eutils.ncbi.nlm.nih.gov:8443/',
    '//[::1]/',
    'file:///etc/passwd',
    'gopher://127.0.0.1:70/',
    'javascript:alert(1)',
  ])('to %s are not', async (location) => {
    const relay = await redirecting(({ url }) => (url === '/a' ? location : undefined));
    expect(await errorOf(await ask(relay, `${PUBMED}/a`))).toEqual(error(403, 'upstream_blocked'));
  });
});

describe('what is asked to be fetched', () => {
  it.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://0177.0.0.1/',
    'http://127.1/',
    'http://0/',
    'http://①②⑦.⓪.⓪.①/',
    'http://user@127.0.0.1/',
    'http:\\\\127.0.0.1',
    'https://eutils.ncbi.nlm.nih.gov@127.0.0.1/',
    'https://127.0.0.1\\@eutils.ncbi.nlm.nih.gov/',
    'http://[::ffff:169.254.169.254]/',
    'http://[::1]/',
    'http://[::7f00:1]/',
    'http://[2002:7f00:1::]/',
    'http://[64:ff9b::7f00:1]/',
    'http://localhost./',
    'https://localhost/',
    'https://127.0.0.1.nip.io/',
    'https://eutils.ncbi.nlm.nih.gov./',
    'https://eutils.ncbi.nlm.nih.gov.evil.example/',
    'https://evil.example/?https://eutils.ncbi.nlm.nih.gov',
    'https://evil.example/#@eutils.ncbi.nlm.nih.gov',
    'http://eutils.ncbi.nlm.nih.gov/',
    'https://eutils.ncbi.nlm.nih.gov:22/',
    'https://user:pass@eutils.ncbi.nlm.nih.gov/',
    'file:///etc/passwd',
    'gopher://127.0.0.1:70/_x',
    'ftp://eutils.ncbi.nlm.nih.gov/',
    'data:text/html,x',
  ])('%s is blocked, also while the named service is mapped to loopback', async (url) => {
    let asked = 0;
    const relay = await relayTo((_request, response) => {
      asked++;
      response.end();
    });
    expect(await errorOf(await ask(relay, url))).toEqual(error(403, 'upstream_blocked'));
    expect(asked).toBe(0);
  });

  it.each(['', 'nonsense', 'https://', `https://eutils.ncbi.nlm.nih.gov/?${'x'.repeat(9000)}`])(
    '%.20s is invalid',
    async (url) => {
      const relay = await relayWith();
      expect(await errorOf(await ask(relay, url))).toEqual(error(400, 'invalid_input'));
    },
  );

  it.each([['127.0.0.1'], ['169.254.169.254'], ['::ffff:10.0.0.1'], ['93.184.215.14', '192.168.1.1'], []])(
    'is blocked when the name resolves to %s',
    async (...addresses) => {
      const resolve = () => Promise.resolve(addresses.map((a) => ({ address: a, family: a.includes(':') ? 6 : 4 })));
      const relay = await relayWith({ upstreams: { resolve } });
      expect(await errorOf(await ask(relay, `${PUBMED}/`))).toEqual(error(403, 'upstream_blocked'));
    },
  );

  it('is unreachable when the name does not resolve', async () => {
    const resolve = () => Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }));
    const relay = await relayWith({ upstreams: { resolve, limits: FETCH_LIMITS } });
    expect(await errorOf(await ask(relay, `${PUBMED}/`))).toEqual(error(502, 'upstream_unreachable'));
  });
});
