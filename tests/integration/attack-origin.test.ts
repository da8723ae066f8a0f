import { afterEach, describe, expect, it } from 'vitest';
import { startTestRelay, type TestRelay, type TestRelayOptions } from '../support/relay-http.ts';
import { rawRequest } from '../support/raw-http.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function relayWith(options: TestRelayOptions = {}): Promise<TestRelay> {
  const relay = await startTestRelay(options);
  cleanups.push(() => relay.close());
  return relay;
}

/** The two doors to the tools; a call of `echo` at each. */
const DOORS = {
  mcp: {
    path: 'mcp',
    headers: {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'echo',
      accept: 'application/json, text/event-stream',
    },
    body: {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: {
        name: 'echo',
        arguments: { text: 'hi' },
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    },
  },
  rest: { path: 'api/tools/echo', headers: {}, body: { text: 'hi' } },
} as const;

function call(relay: TestRelay, door: keyof typeof DOORS, headers: Record<string, string>) {
  const { path, headers: own, body } = DOORS[door];
  const url = new URL(path, relay.urls.app);
  return rawRequest(url, {
    method: 'POST',
    headers: {
      host: url.host,
      authorization: `Bearer ${relay.tokens.owner}`,
      'content-type': 'application/json',
      ...own,
      ...headers,
    },
    body: JSON.stringify(body),
  });
}

describe.each(['mcp', 'rest'] as const)('at the door %s', (door) => {
  it('a page that rebound its name to this machine is refused; the names of the relay are not', async () => {
    const relay = await relayWith();
    const { port } = new URL(relay.urls.app);
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      `127.0.0.1.nip.io:${port}`,
      '127.0.0.1',
      `localhost.:${port}`,
    ]) {
      expect((await call(relay, door, { host })).status).toBe(403);
    }
    expect(relay.rooms[0]?.calls).toEqual([]);
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`]) {
      expect((await call(relay, door, { host })).status).toBe(200);
    }
  });

  it('a page of another origin, or of none, is refused; our own pages and programs are not', async () => {
    const relay = await relayWith();
    const { origin, port } = new URL(relay.urls.app);
    const foreign = [
      'https://evil.example',
      'null',
      '',
      `https://127.0.0.1:${port}`,
      'http://127.0.0.1',
      `${origin}.evil.example`,
      `${origin}/`,
    ];
    for (const bad of foreign) {
      const answer = await call(relay, door, { origin: bad });
      expect([bad, answer.status, answer.headers['access-control-allow-origin']]).toEqual([bad, 403, undefined]);
    }
    expect(relay.rooms[0]?.calls).toEqual([]);
    for (const headers of [{}, { origin }, { origin: `http://localhost:${port}` }]) {
      expect((await call(relay, door, headers)).status).toBe(200);
    }
  });

  it('a page of an origin that the owner allows may call, with a token, and read the answer', async () => {
    const relay = await relayWith({ args: ['--cors-origin', 'https://app.example.org'] });
    const origin = 'https://app.example.org';
    const path = DOORS[door].path;
    const preflight = await rawRequest(new URL(path, relay.urls.app), {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers':
          'authorization,content-type,mcp-protocol-version,mcp-method,mcp-param-region,x-evil',
      },
    });
    expect([preflight.status, preflight.body]).toEqual([204, '']);
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-headers': 'authorization, content-type, mcp-protocol-version, mcp-method, mcp-param-region',
      vary: 'Origin',
    });
    expect(preflight.headers['access-control-allow-credentials']).toBeUndefined();
    const answer = await call(relay, door, { origin });
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([200, origin]);
    expect(answer.headers['access-control-expose-headers']).toContain('Mcp-Session-Id');
    // it can read why it was refused, too
    const refused = await call(relay, door, { origin, authorization: 'Bearer wrong' });
    expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([401, origin]);

    const other = await rawRequest(new URL(path, relay.urls.app), {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    expect(other.headers['access-control-allow-origin']).toBeUndefined();
    expect(other.status).not.toBe(204);
  });
});

describe('what only our own pages and this machine may have', () => {
  it('stays closed to an origin that the owner allows', async () => {
    const relay = await relayWith({ args: ['--cors-origin', 'https://app.example.org'] });
    for (const path of ['config', 'metrics', '']) {
      const answer = await rawRequest(new URL(path, relay.urls.app), {
        headers: { origin: 'https://app.example.org' },
      });
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    }
  });
});
