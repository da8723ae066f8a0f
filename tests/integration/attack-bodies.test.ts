import { afterEach, describe, expect, it } from 'vitest';
import { MAX_BODY_BYTES } from '../../relay/http/mcp/limits.ts';
import { api, codeOf } from '../support/api.ts';
import { startTestRelay, type TestRelay } from '../support/relay-http.ts';
import { echoTool, memoryRoom, memoryTool } from '../support/room-tools.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

const anything = memoryTool('anything', (args) => ({ keys: Object.keys(args as object) }));

async function relayWith(): Promise<TestRelay> {
  const relay = await startTestRelay({ memoryRooms: [memoryRoom('a', [echoTool, anything])] });
  cleanups.push(() => relay.close());
  return relay;
}

const nested = (depth: number) => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
const manyKeys = (count: number) => `{${Array.from({ length: count }, (_, i) => `"k${String(i)}":0`).join(',')}}`;

/** The same arguments at both doors; the JSON is put together as text, since no object could hold some of it. */
const rest = (relay: TestRelay, args: string) => api(relay, relay.tokens.owner, 'POST', 'api/tools/anything', args);
const mcp = (relay: TestRelay, args: string) =>
  api(
    relay,
    relay.tokens.owner,
    'POST',
    'mcp',
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"anything","arguments":${args},"_meta":{` +
      '"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}',
    {
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'anything',
    },
  );

describe.each([
  ['rest', rest],
  ['mcp', mcp],
] as const)('a body at the door %s', (_door, call) => {
  it.each<[string, string, string]>([
    ['that nests too deep', nested(20_000), nested(50)],
    ['with too many fields', manyKeys(100_000), manyKeys(1_000)],
    ['that sets a prototype', '{"__proto__":{"admin":true}}', '{"_proto_":{"admin":true}}'],
    ['that sets a prototype in disguise', '{"\\u005f_proto__":{"admin":true}}', '{"\\u005fproto":{"admin":true}}'],
    ['that sets a prototype deep inside', '{"a":[{"b":{"__proto__":1}}]}', '{"a":[{"b":{"proto":1}}]}'],
    ['with a field twice', '{"a":1,"a":2}', '{"a":1,"A":2}'],
    ['that is no JSON', '{"a":NaN}', '{"a":null}'],
    ['with half a character', '{"a":"\\ud800"}', '{"a":"\\ud83d\\ude00"}'],
  ])('%s is refused before anything runs; its harmless twin is not', async (_what, bad, good) => {
    const relay = await relayWith();
    expect((await call(relay, bad)).status).toBe(400);
    expect(relay.rooms[0]?.calls).toEqual([]);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
    expect((await call(relay, good)).status).toBe(200);
    expect(relay.rooms[0]?.calls).toHaveLength(1);
  });

  it('that is too large is refused without being read; the largest that is allowed is read', async () => {
    const relay = await relayWith();
    const large = await call(relay, `{"a":"${'x'.repeat(MAX_BODY_BYTES)}"}`);
    expect(large.status).toBe(413);
    expect(relay.rooms[0]?.calls).toEqual([]);
    expect((await call(relay, `{"a":"${'x'.repeat(1_000_000)}"}`)).status).toBe(200);
  });

  it('with names that objects have by nature is data like any other', async () => {
    const relay = await relayWith();
    const answer = await call(relay, '{"constructor":{"prototype":{"admin":true}},"toString":1,"hasOwnProperty":2}');
    expect(answer.status).toBe(200);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
    expect(relay.rooms[0]?.calls[0]?.args).toEqual(
      JSON.parse('{"constructor":{"prototype":{"admin":true}},"toString":1,"hasOwnProperty":2}'),
    );
  });
});

describe('names in addresses', () => {
  it('that objects have by nature are no tools, tokens or runs', async () => {
    const relay = await relayWith();
    for (const name of ['__proto__', 'constructor', 'toString', '..%2f..%2fetc%2fpasswd', '%00']) {
      const { owner } = relay.tokens;
      expect(codeOf(await api(relay, owner, 'POST', `api/tools/${name}`, {}))).toMatch(
        /unknown_tool|not_found|invalid_input/,
      );
      expect(codeOf(await api(relay, owner, 'GET', `api/runs/${name}`))).toMatch(/not_found|invalid_input/);
      expect(codeOf(await api(relay, owner, 'DELETE', `api/tokens/${name}`))).toMatch(/not_found|invalid_input/);
    }
    expect((await api(relay, relay.tokens.owner, 'POST', 'api/tools/echo', { text: '' })).status).toBe(200);
  });
});
