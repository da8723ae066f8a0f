import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterEach, describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../src/contracts/audit.ts';
import { api, newToken } from '../support/api.ts';
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

const ACCEPT = { accept: 'application/json, text/event-stream' };
const ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const TRACEPARENT = `00-${ID}-00f067aa0ba902b7-01`;

/** A session of the older wire, whose requests are told apart by what they say. */
async function session(relay: TestRelay, token: string) {
  const begun = await api(
    relay,
    token,
    'POST',
    'mcp',
    {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
    },
    ACCEPT,
  );
  const headers = { ...ACCEPT, 'mcp-session-id': begun.headers.get('mcp-session-id') ?? '' };
  return {
    headers,
    call: (name: string, args: unknown, more: { meta?: object; headers?: Record<string, string> } = {}) =>
      api(
        relay,
        token,
        'POST',
        'mcp',
        { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name, arguments: args, _meta: more.meta ?? {} } },
        { ...headers, ...more.headers },
      ),
  };
}

const log = async (relay: TestRelay, query = '') =>
  ((await api(relay, relay.tokens.owner, 'GET', `api/audit?limit=20${query}`)).body as { entries: AuditEntry[] })
    .entries;

describe('over MCP', () => {
  it('each request of a session has a trace of its own, by header or _meta, and is written down once', async () => {
    const seen: (string | undefined)[] = [];
    const traced = memoryTool('traced', (_args, { traceparent }) => {
      seen.push(traceparent?.split('-')[1]);
      return {};
    });
    const relay = await relayWith({ memoryRooms: [memoryRoom('a', [traced])] });
    const { call } = await session(relay, relay.tokens.owner);
    await call('traced', {}, { headers: { traceparent: TRACEPARENT } });
    const other = ID.replace('4b', 'ff');
    await call('traced', {}, { meta: { traceparent: TRACEPARENT.replace('4b', 'ff') } });
    await call('traced', {});
    expect(seen.slice(0, 2)).toEqual([ID, other]);
    expect(seen[2]).toMatch(/^[0-9a-f]{32}$/);
    expect((await log(relay)).map(({ trace, what, outcome }) => [trace, what, outcome])).toEqual(
      seen.toReversed().map((trace) => [trace, 'traced', 'ok']),
    );
    expect(await log(relay, `&trace=${other}`)).toHaveLength(1);
  });

  it('the stateless wire has all that as well', async () => {
    const relay = await relayWith();
    const { token } = await newToken(relay, { name: 'modern', classes: ['read'] });
    const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
    await client.connect(
      new StreamableHTTPClientTransport(new URL(relay.urls.mcp), {
        requestInit: { headers: { authorization: `Bearer ${token}` } },
      }),
    );
    cleanups.push(() => client.close());
    await client.callTool({ name: 'echo', arguments: { text: 'hi' }, _meta: { traceparent: TRACEPARENT } });
    expect(await log(relay)).toMatchObject([{ who: { name: 'modern' }, what: 'echo', outcome: 'ok', trace: ID }]);
  });

  it('lists show what the token may call; a call over its rate is told so with the time to wait', async () => {
    const compute = memoryTool('embed', () => ({}), { access: 'compute' });
    const relay = await relayWith({ memoryRooms: [memoryRoom('a', [echoTool, compute])] });
    const { token } = await newToken(relay, { name: 'slow', classes: ['read'], perMinute: 1 });
    const { headers, call } = await session(relay, token);
    const list = { jsonrpc: '2.0', id: 3, method: 'tools/list', params: {} };
    const { body } = await api(relay, token, 'POST', 'mcp', list, headers);
    expect(String(body)).toContain('"name":"echo"');
    expect(String(body)).not.toContain('"name":"embed"');
    expect((await call('echo', { text: 'one' })).status).toBe(200);
    const refused = await call('echo', { text: 'two' });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60']);
    expect(relay.rooms[0]?.calls).toHaveLength(1);
  });

  it('a compact client is held to the tool that it calls, not to the one that calls it', async () => {
    const compute = memoryTool('embed', () => ({}), { access: 'compute' });
    const relay = await relayWith({ memoryRooms: [memoryRoom('a', [echoTool, compute])] });
    const { token } = await newToken(relay, { name: 'one', tools: ['echo'] });
    const compact = { 'tabmesh-mcp-mode': 'compact', ...ACCEPT };
    const begun = await api(
      relay,
      token,
      'POST',
      'mcp',
      {
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
      },
      compact,
    );
    const mine = { ...compact, 'mcp-session-id': begun.headers.get('mcp-session-id') ?? '' };
    const call = (tool: string, args: unknown) =>
      api(
        relay,
        token,
        'POST',
        'mcp',
        {
          jsonrpc: '2.0',
          id: 2,
          method: 'tools/call',
          params: { name: 'call_tool', arguments: { tool, arguments: args } },
        },
        mine,
      );
    expect(String((await call('echo', { text: 'hi' })).body)).not.toContain('"isError":true');
    expect((await call('embed', {})).status).toBe(403);
    expect(relay.rooms[0]?.calls.map(({ tool }) => tool)).toEqual(['echo']);
  });

  it('a stream ends when its token is taken back', async () => {
    const relay = await relayWith();
    const { id, token } = await newToken(relay, { name: 'listener' });
    const { headers } = await session(relay, token);
    const stream = await fetch(relay.urls.mcp, { headers: { ...headers, authorization: `Bearer ${token}` } });
    expect(stream.status).toBe(200);
    const ended = expect(stream.text()).rejects.toThrow();
    await relay.tokens.revoke(id);
    await ended;
    expect((await fetch(relay.urls.mcp, { headers: { ...headers, authorization: `Bearer ${token}` } })).status).toBe(
      401,
    );
  });
});
