import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TabmeshError } from '../../src/lib/errors.ts';
import { rawRequest } from '../support/raw-http.ts';
import { startTestRelay, type TestRelay } from '../support/relay-http.ts';
import { echoTool, memoryRoom, memoryTool } from '../support/room-tools.ts';

const REVISION = '2026-07-28';
const META = 'io.modelcontextprotocol/';

let relay: TestRelay;
const started = Promise.withResolvers<undefined>();
const stopped = Promise.withResolvers<undefined>();

beforeAll(async () => {
  relay = await startTestRelay({
    memoryRooms: [
      memoryRoom('room-a', [
        echoTool,
        memoryTool('text', () => 'plain text'),
        memoryTool('fail', () => {
          throw new TabmeshError('tool_failed', 'it broke', { hint: 'mend it' });
        }),
        memoryTool('headed', (args) => args, {
          inputSchema: { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } },
        }),
        memoryTool('collect_literature', () => ({ collected: 1 })),
        memoryTool('wait', async (_args, { signal }) => {
          started.resolve(undefined);
          await new Promise((resolve) => signal?.addEventListener('abort', resolve));
          stopped.resolve(undefined);
        }),
      ]),
    ],
  });
});
afterAll(() => relay.close());

let clients = 0;
/** A client that the relay has not seen, or has seen make a call. */
async function client(isKnown: boolean, capabilities: object = {}) {
  const info = { name: `client ${++clients}`, version: '1' };
  const envelope = {
    [`${META}protocolVersion`]: REVISION,
    [`${META}clientCapabilities`]: capabilities,
    [`${META}clientInfo`]: info,
  };
  const post = (name: string, args: unknown, more: { meta?: object; headers?: Record<string, string> } = {}) => {
    const headers: Record<string, string> = {
      authorization: `Bearer ${relay.tokens.owner}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': REVISION,
      'mcp-method': 'tools/call',
      'mcp-name': name,
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      ...more.headers,
    };
    const params = { name, arguments: args, _meta: { ...envelope, ...more.meta } };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 'a', method: 'tools/call', params });
    return { headers, body };
  };
  const call = async (...asked: Parameters<typeof post>) => {
    const { headers, body } = post(...asked);
    const answer = await rawRequest(new URL(relay.urls.mcp), { method: 'POST', headers, body });
    const { date: _, 'keep-alive': _k, connection: _c, ...kept } = answer.headers;
    return { ...answer, headers: kept };
  };
  if (isKnown) expect((await call('echo', { text: 'first' })).status).toBe(200);
  return { call, post };
}

/** The same, but for what tells one answer from another. */
const comparable = ({ status, headers, body }: Awaited<ReturnType<Awaited<ReturnType<typeof client>>['call']>>) => {
  // the head is written in pieces or as one, depending on who writes it
  const { 'content-length': _, 'transfer-encoding': _t, traceparent, ...kept } = headers;
  const type = String(kept['content-type']).replace('; charset=utf-8', '');
  const trace = String(traceparent).slice(0, 35);
  return { status, headers: { ...kept, 'content-type': type, trace }, body: JSON.parse(body) as unknown };
};

describe('a call that needs nothing but its answer', () => {
  it.each([
    ['an object', 'echo', { text: 'x' }, {}],
    ['a text', 'text', {}, {}],
    ['a failure of the tool', 'fail', {}, {}],
    ['a tool that there is not', 'nowhere', {}, {}],
    ['arguments of no object', 'echo', 'x', {}],
    ['a question that the client can ask', 'collect_literature', { max_results: 9_999 }, { elicitation: {} }],
    ['a question that it cannot ask', 'collect_literature', { max_results: 9_999 }, {}],
  ])(
    'is answered alike for a client that is known and for one that is not: %s',
    async (_what, name, args, declared) => {
      const unknown = await (await client(false, declared)).call(name, args);
      const known = await (await client(true, declared)).call(name, args);
      expect(comparable(known)).toEqual(comparable(unknown));
    },
  );

  it.each([
    ['another method in the header', { headers: { 'mcp-method': 'tools/list' } }],
    ['another name in the header', { headers: { 'mcp-name': 'text' } }],
    ['another revision in the header', { headers: { 'mcp-protocol-version': '2025-11-25' } }],
    ['capabilities of a wrong form', { meta: { [`${META}clientCapabilities`]: { elicitation: 3 } } }],
    ['a client of a wrong form', { meta: { [`${META}clientInfo`]: null } }],
  ])('is refused alike: %s', async (_what, more) => {
    const unknown = await (await client(false)).call('echo', { text: 'x' }, more);
    const known = await (await client(true)).call('echo', { text: 'x' }, more);
    expect(unknown.status).toBe(400);
    expect(comparable(known)).toEqual(comparable(unknown));
  });

  it('is a stream for a client that listens to progress', async () => {
    const { call } = await client(true);
    const answer = await call('echo', { text: 'x' }, { meta: { progressToken: 1 } });
    expect(answer.status).toBe(200);
    expect(answer.body).toContain('"structuredContent":{"text":"x"}');
  });

  it('has its parameters in headers where the tool demands it', async () => {
    const { call } = await client(true);
    const without = await call('headed', { region: 'eu' });
    expect(without.status).toBe(400);
    const beside = await call('headed', { region: 'eu' }, { headers: { 'mcp-param-region': 'eu' } });
    expect(beside.status).toBe(200);
  });

  it('ends when its client goes away', async () => {
    const { post } = await client(true);
    const { headers, body } = post('wait', {});
    const sent = request(new URL(relay.urls.mcp), { method: 'POST', headers, agent: false });
    sent.on('error', () => undefined);
    sent.end(body);
    await started.promise;
    sent.destroy();
    await stopped.promise;
  });
});
