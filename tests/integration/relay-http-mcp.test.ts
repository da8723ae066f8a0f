import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterEach, describe, expect, it } from 'vitest';
import { SESSION_LIMITS } from '../../relay/http/mcp/limits.ts';
import { TabmeshError } from '../../src/lib/errors.ts';
import type { DeviceId } from '../../src/lib/ids.ts';
import { MAX_ARGUMENT_BYTES } from '../../src/tools/limits.ts';
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

/** the 1.x SDK: sessions, the wire of 2025-11-25 */
async function olderClient(relay: TestRelay, token = relay.tokens.owner) {
  const client = new Client({ name: 'test', version: '1' });
  const transport = new StreamableHTTPClientTransport(new URL(relay.urls.mcp), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  });
  await client.connect(transport);
  cleanups.push(() => client.close());
  return { client, transport };
}

/** the second-generation SDK on the stateless wire of 2026-07-28 */
async function modernClient(relay: TestRelay, token = relay.tokens.owner) {
  const client = new ModernClient({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  const transport = new ModernTransport(new URL(relay.urls.mcp), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  });
  await client.connect(transport);
  cleanups.push(() => client.close());
  return { client };
}

const failing = memoryTool('failing', () => {
  throw new TabmeshError('no_place', 'nobody in the room offers failing now', { hint: 'Open a tab.', retryable: true });
});

const wires = {
  'the older wire (SDK 1.x)': async (relay: TestRelay, token?: string) => (await olderClient(relay, token)).client,
  'the stateless wire (SDK 2.x)': async (relay: TestRelay, token?: string) => (await modernClient(relay, token)).client,
};

describe.each(Object.entries(wires))('MCP over %s', (_name, connect) => {
  it('lists the tools of the room and names the place that ran a call', async () => {
    const relay = await relayWith();
    const client = await connect(relay);
    if (client instanceof ModernClient) expect(client.getNegotiatedProtocolVersion()).toBe('2026-07-28');
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['echo']);
    expect(tools[0]).toMatchObject({ outputSchema: echoTool.metadata.outputSchema, annotations: { title: 'echo' } });

    const result = await client.callTool({ name: 'echo', arguments: { text: 'hello' } });
    expect(result.structuredContent).toEqual({ text: 'hello' });
    expect(result.content).toEqual([{ type: 'text', text: '{"text":"hello"}' }]);
    expect(result._meta?.['tabmesh/route']).toMatchObject({
      kind: 'peer',
      peer: '12D3KooWTab',
      reasons: ['direct link'],
    });
    expect(relay.rooms[0]?.calls).toEqual([
      {
        tool: 'echo',
        args: { text: 'hello' },
        principal: {
          kind: 'token',
          tokenId: 'owner',
          name: 'owner',
          relay: '12D3KooWRelay',
          scope: { classes: ['read', 'compute', 'write', 'admin'], tools: null, expiresAt: null },
        },
      },
    ]);
  });

  it('reports a failed call as a result that a model and a program can read', async () => {
    const relay = await relayWith({ memoryRooms: [memoryRoom('a', [failing])] });
    const client = await connect(relay);
    const result = await client.callTool({ name: 'failing', arguments: {} });
    expect(result.isError).toBe(true);
    expect(result.content).toEqual([
      { type: 'text', text: 'nobody in the room offers failing now (no_place)\nOpen a tab.' },
    ]);
    expect(result._meta?.['tabmesh/error']).toMatchObject({ code: 'no_place', retryable: true });
  });

  it('answers an unknown tool with a protocol error', async () => {
    const relay = await relayWith();
    const client = await connect(relay);
    await expect(client.callTool({ name: 'nothing', arguments: {} })).rejects.toMatchObject({
      code: -32602,
      data: { code: 'unknown_tool' },
    });
  });

  it('refuses arguments over the limit before anything runs', async () => {
    const relay = await relayWith();
    const client = await connect(relay);
    const text = 'x'.repeat(MAX_ARGUMENT_BYTES);
    const result = await client.callTool({ name: 'echo', arguments: { text } });
    expect(result._meta?.['tabmesh/error']).toMatchObject({ code: 'payload_too_large' });
    expect(relay.rooms[0]?.calls).toEqual([]);
  });

  it('passes progress on to the client', async () => {
    const stepping = memoryTool('stepping', (_args, { onProgress }) => {
      onProgress?.({ progress: 1, total: 2, message: 'halfway' });
      onProgress?.({ progress: 2, total: 2, message: null });
      return {};
    });
    const relay = await relayWith({ memoryRooms: [memoryRoom('a', [stepping])] });
    const client = await connect(relay);
    const seen: unknown[] = [];
    const onprogress = (progress: unknown) => seen.push(progress);
    if (client instanceof ModernClient) await client.callTool({ name: 'stepping', arguments: {} }, { onprogress });
    else await client.callTool({ name: 'stepping', arguments: {} }, undefined, { onprogress });
    expect(seen).toEqual([
      { progress: 1, total: 2, message: 'halfway' },
      { progress: 2, total: 2 },
    ]);
  });

  it('passes cancellation on to the call', async () => {
    const started = Promise.withResolvers<AbortSignal>();
    const waiting = memoryTool('waiting', (_args, { signal }) => {
      if (signal === undefined) throw new Error('no signal');
      started.resolve(signal);
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));
    });
    const relay = await relayWith({ memoryRooms: [memoryRoom('a', [waiting])] });
    const client = await connect(relay);
    const controller = new AbortController();
    const options = { signal: controller.signal };
    const call =
      client instanceof ModernClient
        ? client.callTool({ name: 'waiting', arguments: {} }, options)
        : client.callTool({ name: 'waiting', arguments: {} }, undefined, options);
    const rejected = expect(call).rejects.toThrow();
    const signal = await started.promise;
    const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
    controller.abort();
    await Promise.all([aborted, rejected]);
  });

  it('shows each token its own room', async () => {
    const other = memoryRoom('room-b', [memoryTool('only_in_b', () => ({}))]);
    const relay = await relayWith({ memoryRooms: [memoryRoom('room-a'), other] });
    const { token } = await relay.tokens.create({ room: other.room, device: 'd' as DeviceId }, { name: 'Claude' });
    const client = await connect(relay, token);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['only_in_b']);
    await client.callTool({ name: 'only_in_b', arguments: {} });
    expect(other.calls[0]?.principal).toMatchObject({ kind: 'token', name: 'Claude', maker: 'd' });
    await expect(client.callTool({ name: 'echo', arguments: {} })).rejects.toMatchObject({ code: -32602 });
  });

  it.each([
    ['a wrong token', 'tm_wrong'],
    ['no token', ''],
  ])('refuses %s, and nothing runs', async (_what, token) => {
    const relay = await relayWith();
    await expect(connect(relay, token)).rejects.toThrow(/401|token|Unauthorized/i);
    expect(relay.rooms[0]?.calls).toEqual([]);
  });
});

describe('a change of the tools', () => {
  it('is told to a session', async () => {
    const relay = await relayWith();
    const { client } = await olderClient(relay);
    const told = Promise.withResolvers<unknown>();
    client.setNotificationHandler(ToolListChangedNotificationSchema, told.resolve);
    // the stream for such news opens after the handshake: repeat until it is there
    await until(told.promise, () => relay.rooms[0]?.set([memoryTool(`t${String(Math.random())}`, () => ({}))]));
    expect((await client.listTools()).tools).toHaveLength(1);
  });

  it('is told to a listener of the stateless wire', async () => {
    const relay = await relayWith();
    const told = Promise.withResolvers<unknown>();
    const client = new ModernClient(
      { name: 'test', version: '1' },
      {
        versionNegotiation: { mode: 'auto' },
        listChanged: { tools: { onChanged: told.resolve, debounceMs: 0 } },
      },
    );
    const transport = new ModernTransport(new URL(relay.urls.mcp), {
      requestInit: { headers: { authorization: `Bearer ${relay.tokens.owner}` } },
    });
    await client.connect(transport);
    cleanups.push(() => client.close());
    await until(told.promise, () => relay.rooms[0]?.set([memoryTool(`t${String(Math.random())}`, () => ({}))]));
  });
});

/** Does `again` every now and then until the promise settles. */
async function until(done: Promise<unknown>, again: () => void): Promise<void> {
  const timer = setInterval(again, 50);
  try {
    await done;
  } finally {
    clearInterval(timer);
  }
}

describe('sessions of the older wire', () => {
  it('work only with the token that began them', async () => {
    const room = memoryRoom('room-a');
    const relay = await relayWith({ memoryRooms: [room] });
    const { transport } = await olderClient(relay);
    const { token } = await relay.tokens.create({ room: room.room, device: 'd' as DeviceId }, { name: 'other' });
    const response = await post(relay, token, { 'mcp-session-id': transport.sessionId ?? '' });
    expect(response.status).toBe(404);
    expect((await post(relay, relay.tokens.owner, { 'mcp-session-id': transport.sessionId ?? '' })).status).toBe(200);
  });

  it('end when the client says so', async () => {
    const relay = await relayWith();
    const { transport } = await olderClient(relay);
    const session = { 'mcp-session-id': transport.sessionId ?? '' };
    await transport.terminateSession();
    expect((await post(relay, relay.tokens.owner, session)).status).toBe(404);
  });

  it('end when they are too old, however busy', async () => {
    const relay = await relayWith({ sessionLimits: { ...SESSION_LIMITS, maxAgeMs: 50, sweepMs: 10 } });
    const { client, transport } = await olderClient(relay);
    const session = { 'mcp-session-id': transport.sessionId ?? '' };
    await expect.poll(async () => (await post(relay, relay.tokens.owner, session)).status).toBe(404);
    await expect(client.listTools()).rejects.toThrow();
  });

  it('make room for new ones when there are too many', async () => {
    const relay = await relayWith({ sessionLimits: { ...SESSION_LIMITS, perOwner: 2 } });
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      const response = await post(relay, relay.tokens.owner, {}, initialize);
      await response.text();
      ids.push(response.headers.get('mcp-session-id') ?? '');
    }
    const statuses = await Promise.all(
      ids.map(async (id) => (await post(relay, relay.tokens.owner, { 'mcp-session-id': id })).status),
    );
    expect(statuses).toEqual([404, 200, 200]);
  });

  it('are counted by who has made the tokens; one’s own make room, then those of who has most', async () => {
    const relay = await relayWith({ sessionLimits: { ...SESSION_LIMITS, perOwner: 3, total: 4 } });
    const quiet = await begin(relay, await tokenOf(relay, 'device-a'));
    // three tokens, and two sessions of each
    const greedy: Awaited<ReturnType<typeof begin>>[] = [];
    for (let i = 0; i < 3; i++) {
      const token = await tokenOf(relay, 'device-b');
      greedy.push(await begin(relay, token), await begin(relay, token));
    }
    const newcomer = await begin(relay, await tokenOf(relay, 'device-c'));
    const statuses = await Promise.all(
      [quiet, ...greedy, newcomer].map(
        async ({ token, id }) => (await post(relay, token, { 'mcp-session-id': id })).status,
      ),
    );
    expect(statuses).toEqual([200, 404, 404, 404, 404, 200, 200, 200]);
    expect((await begin(relay, quiet.token)).status).toBe(200);
    expect((await post(relay, quiet.token, { 'mcp-session-id': quiet.id })).status).toBe(404);
  });

  it('do not put out those of somebody who has no more', async () => {
    const relay = await relayWith({ sessionLimits: { ...SESSION_LIMITS, total: 2 } });
    const other = await begin(relay, await tokenOf(relay, 'device-a'));
    const { token, id } = await begin(relay, await tokenOf(relay, 'device-b'));
    const stream = await fetch(relay.urls.mcp, {
      headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream', 'mcp-session-id': id },
    });
    expect(stream.status).toBe(200);
    expect((await begin(relay, token)).status).toBe(503);
    expect((await post(relay, other.token, { 'mcp-session-id': other.id })).status).toBe(200);
    await stream.body?.cancel();
  });

  it('are refused when all of them are busy', async () => {
    const relay = await relayWith({ sessionLimits: { ...SESSION_LIMITS, perOwner: 1 } });
    await olderClient(relay); // its stream for notifications is open
    await expect
      .poll(async () => (await post(relay, relay.tokens.owner, {}, initialize)).status, { interval: 10 })
      .toBe(503);
  });
});

const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } },
};

/** A token that a member has made. */
const tokenOf = async (relay: TestRelay, device: string) =>
  (await relay.tokens.create({ room: relay.rooms[0]?.room ?? null, device: device as DeviceId }, { name: 'a' })).token;

/** Begins a session of the older wire. */
async function begin(relay: TestRelay, token: string) {
  const response = await post(relay, token, {}, initialize);
  await response.text();
  return { token, id: response.headers.get('mcp-session-id') ?? '', status: response.status };
}

function post(relay: TestRelay, token: string, headers: Record<string, string>, body?: unknown) {
  return fetch(relay.urls.mcp, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body ?? { jsonrpc: '2.0', id: 1, method: 'tools/list' }),
  });
}

describe('bad requests', () => {
  it('are answered as JSON-RPC errors', async () => {
    const relay = await relayWith();
    const garbage = await post(relay, relay.tokens.owner, {}, '{"jsonrpc":');
    expect(garbage.status).toBe(400);
    expect(await garbage.json()).toMatchObject({ error: { code: -32700 } });

    const huge = await post(relay, relay.tokens.owner, {}, { text: 'x'.repeat(7 * MAX_ARGUMENT_BYTES) });
    expect(huge.status).toBe(413);
    expect(await huge.json()).toMatchObject({ error: { data: { code: 'payload_too_large' } } });

    const form = await post(relay, relay.tokens.owner, { 'content-type': 'text/plain' }, 'hello');
    expect(form.status).toBe(415);
  });

  it('from another origin or under another name are refused', async () => {
    const relay = await relayWith();
    const foreign = await post(relay, relay.tokens.owner, { origin: 'http://evil.example' });
    expect(foreign.status).toBe(403);
    const samePort = await post(relay, relay.tokens.owner, { origin: 'http://127.0.0.1:1' });
    expect(samePort.status).toBe(403);
    const own = await post(relay, relay.tokens.owner, { origin: new URL(relay.urls.app).origin }, initialize);
    expect(own.status).toBe(200);
    expect(own.headers.get('content-security-policy')).toContain("script-src 'self' 'wasm-unsafe-eval'");
  });

  it('without a good token are told how to authenticate', async () => {
    const relay = await relayWith();
    for (const method of ['GET', 'POST', 'DELETE']) {
      const response = await fetch(relay.urls.mcp, { method, headers: { authorization: 'Bearer nope' } });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toContain('Bearer');
      expect(await response.json()).toMatchObject({ error: { code: 'unauthorized' } });
    }
  });
});
