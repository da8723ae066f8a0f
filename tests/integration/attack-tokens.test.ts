import { afterEach, describe, expect, it } from 'vitest';
import { api, newToken } from '../support/api.ts';
import { startTestRelay, type TestRelay } from '../support/relay-http.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function relayWith(): Promise<TestRelay> {
  const relay = await startTestRelay();
  cleanups.push(() => relay.close());
  return relay;
}

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
};
const LIST = { jsonrpc: '2.0', id: 2, method: 'tools/list', params: {} };
const ACCEPT = { accept: 'application/json, text/event-stream' };

/** A request at each door to the tools. */
const doors = (relay: TestRelay, token: string | null, query = '') =>
  Promise.all([
    api(relay, token, 'POST', `mcp${query}`, INITIALIZE, ACCEPT),
    api(relay, token, 'POST', `api/tools/echo${query}`, { text: 'hi' }),
    api(relay, token, 'GET', `api/tools${query}`),
    api(relay, token, 'GET', `openapi.json${query}`),
  ]);
const statuses = (answers: readonly { readonly status: number }[]) => answers.map(({ status }) => status);

describe('a request', () => {
  it('without a token is refused at every door, one with a token is not', async () => {
    const relay = await relayWith();
    for (const answer of await doors(relay, null)) {
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="tabmesh"');
    }
    expect(relay.rooms[0]?.calls).toEqual([]);
    expect(statuses(await doors(relay, relay.tokens.owner))).toEqual([200, 200, 200, 200]);
  });

  it('with its token in the address is refused: addresses end in logs and histories', async () => {
    const relay = await relayWith();
    for (const name of ['token', 'access_token', 'authorization']) {
      expect(statuses(await doors(relay, null, `?${name}=${relay.tokens.owner}`))).toEqual([401, 401, 401, 401]);
    }
    expect(statuses(await doors(relay, relay.tokens.owner, '?utm=1'))).toEqual([200, 200, 200, 200]);
  });

  it('with a token of another relay, or a made-up one, is refused', async () => {
    const [relay, other] = [await relayWith(), await relayWith()];
    const foreign = await newToken(other, { name: 'foreign' });
    const { id } = await newToken(relay, { name: 'mine' });
    for (const token of [foreign.token, other.tokens.owner, id, 'tm_', `tm_${'A'.repeat(43)}`, 'a.b.c']) {
      expect(statuses(await doors(relay, token))).toEqual([401, 401, 401, 401]);
    }
    expect(statuses(await doors(other, foreign.token))).toEqual([200, 200, 200, 200]);
  });

  it('with a token that was taken back, or has expired, is refused', async () => {
    const relay = await relayWith();
    const revoked = await newToken(relay, { name: 'revoked' });
    const expiresAt = Date.now() + 300;
    const short = await newToken(relay, { name: 'short', expiresAt });
    expect(statuses(await doors(relay, revoked.token))).toEqual([200, 200, 200, 200]);
    await relay.tokens.revoke(revoked.id);
    expect(statuses(await doors(relay, revoked.token))).toEqual([401, 401, 401, 401]);
    while (Date.now() < expiresAt) await new Promise((resolve) => setTimeout(resolve, expiresAt - Date.now() + 1));
    expect(statuses(await doors(relay, short.token))).toEqual([401, 401, 401, 401]);
  });

  it('with a token that is too narrow gets 403 with what it lacks, over MCP too', async () => {
    const relay = await relayWith();
    const narrow = await newToken(relay, { name: 'narrow', classes: ['compute'] });
    const { token } = await newToken(relay, { name: 'wide' });
    const call = { jsonrpc: '2.0', id: 3, method: 'tools/call', params: { name: 'echo', arguments: { text: 'hi' } } };
    const session = async (bearer: string) => {
      const begun = await api(relay, bearer, 'POST', 'mcp', INITIALIZE, ACCEPT);
      return { ...ACCEPT, 'mcp-session-id': begun.headers.get('mcp-session-id') ?? '' };
    };
    const refused = await api(relay, narrow.token, 'POST', 'mcp', call, await session(narrow.token));
    expect(refused.status).toBe(403);
    expect(refused.headers.get('www-authenticate')).toContain('error="insufficient_scope", scope="tabmesh:read"');
    expect(relay.rooms[0]?.calls).toEqual([]);
    expect((await api(relay, token, 'POST', 'mcp', call, await session(token))).status).toBe(200);
  });
});

describe('the session of another', () => {
  it('is nothing to who has its id and a token of its own; it goes on for its owner', async () => {
    const relay = await relayWith();
    const [mine, thief] = [await newToken(relay, { name: 'mine' }), await newToken(relay, { name: 'thief' })];
    const begun = await api(relay, mine.token, 'POST', 'mcp', INITIALIZE, ACCEPT);
    const session = { ...ACCEPT, 'mcp-session-id': begun.headers.get('mcp-session-id') ?? '' };
    expect(session['mcp-session-id']).not.toBe('');
    for (const method of ['POST', 'GET', 'DELETE']) {
      const stolen = await api(relay, thief.token, method, 'mcp', method === 'POST' ? LIST : undefined, session);
      expect([method, stolen.status]).toEqual([method, 404]);
    }
    expect((await api(relay, mine.token, 'POST', 'mcp', LIST, session)).status).toBe(200);
    // and ends with the right to it: whoever gets the same name again gets another
    await relay.tokens.revoke(mine.id);
    expect((await api(relay, relay.tokens.owner, 'POST', 'mcp', LIST, session)).status).toBe(404);
  });
});
