import { afterEach, describe, expect, it } from 'vitest';
import { CALL_RATES } from '../../relay/http/gate/rates.ts';
import type { TokenInfo } from '../../src/contracts/access.ts';
import type { DeviceId, RoomId } from '../../src/lib/ids.ts';
import { api, codeOf, newToken } from '../support/api.ts';
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

const done = () => ({ text: 'done' });
const compute = memoryTool('embed', done, { access: 'compute' });
const write = memoryTool('delete_dataset', done, { access: 'write' });

describe('tokens over REST', () => {
  it('are made by the owner, shown once, listed, used and taken back', async () => {
    const relay = await relayWith();
    const made = await api(relay, relay.tokens.owner, 'POST', 'api/tokens', { name: 'CI', classes: ['read'] });
    expect([made.status, made.headers.get('location')]).toEqual([201, expect.stringMatching(/^\/api\/tokens\/\w+$/)]);
    const { id, token } = made.body as { id: string; token: string };

    const listed = await api(relay, relay.tokens.owner, 'GET', 'api/tokens');
    expect(listed.body).toEqual({
      tokens: [
        {
          id,
          name: 'CI',
          room: null,
          device: null,
          classes: ['read'],
          tools: null,
          perMinute: null,
          expiresAt: null,
          createdAt: expect.any(Number) as number,
          lastUsedAt: null,
        },
      ],
    });
    expect(JSON.stringify(listed.body)).not.toContain(token);

    expect((await api(relay, token, 'POST', 'api/tools/echo', { text: 'hi' })).status).toBe(200);
    expect(relay.rooms[0]?.calls[0]?.principal).toMatchObject({
      tokenId: id,
      name: 'CI',
      scope: { classes: ['read'], tools: null, expiresAt: null },
    });
    expect((await api(relay, relay.tokens.owner, 'DELETE', `api/tokens/${id}`)).status).toBe(204);
    const refused = await api(relay, token, 'POST', 'api/tools/echo', { text: 'hi' });
    expect([refused.status, codeOf(refused)]).toEqual([401, 'unauthorized']);
    expect(codeOf(await api(relay, relay.tokens.owner, 'DELETE', `api/tokens/${id}`))).toBe('not_found');
    expect(relay.rooms[0]?.calls).toHaveLength(1);
  });

  it('say where a request for one is wrong', async () => {
    const relay = await relayWith();
    const answer = await api(relay, relay.tokens.owner, 'POST', 'api/tokens', { name: 'x', classes: ['root'] });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ errors: [{ pointer: '#/classes' }], error: { code: 'invalid_input' } });
  });

  it('of a member are looked after by one that may write, within what it has', async () => {
    const relay = await relayWith();
    const room = relay.rooms[0]?.room ?? null;
    const device = 'device-a' as DeviceId;
    const mine = await relay.tokens.create({ room, device }, { name: 'mine', classes: ['read', 'write'] });
    const other = await relay.tokens.create({ room, device: 'device-b' as DeviceId }, { name: 'other' });
    const narrow = await api(relay, mine.token, 'POST', 'api/tokens', { name: 'narrow', classes: ['read'] });
    expect(narrow.status).toBe(201);
    const { tokens } = (await api(relay, mine.token, 'GET', 'api/tokens')).body as { tokens: TokenInfo[] };
    expect(tokens.map(({ name }) => name)).toEqual(['mine', 'narrow']);

    const { token } = narrow.body as { token: string };
    for (const refused of [
      await api(relay, mine.token, 'POST', 'api/tokens', { name: 'wide', classes: ['admin'] }),
      await api(relay, token, 'POST', 'api/tokens', { name: 'more', classes: ['read'] }),
      await api(relay, token, 'GET', 'api/tokens'),
    ]) {
      expect([refused.status, codeOf(refused)]).toEqual([403, 'forbidden']);
    }
    expect(codeOf(await api(relay, mine.token, 'DELETE', `api/tokens/${other.id}`))).toBe('not_found');
    // with the maker goes what it has made
    await api(relay, mine.token, 'DELETE', `api/tokens/${mine.id}`);
    expect((await api(relay, token, 'GET', 'api/tools')).status).toBe(401);
    expect((await api(relay, other.token, 'GET', 'api/tools')).status).toBe(200);
  });
});

describe('what a token is good for', () => {
  it('is checked before anything leaves the relay; lists leave out the rest', async () => {
    const relay = await relayWith({ memoryRooms: [memoryRoom('a', [echoTool, compute, write])] });
    const names = async (token: string) => {
      const { body } = await api(relay, token, 'GET', 'api/tools');
      return (body as { tools: { name: string }[] }).tools.map(({ name }) => name);
    };
    const reader = await newToken(relay, { name: 'reader', classes: ['read'] });
    const one = await newToken(relay, { name: 'one', tools: ['embed'] });
    expect(await names(relay.tokens.owner)).toEqual(['echo', 'embed', 'delete_dataset']);
    expect(await names(reader.token)).toEqual(['echo']);
    expect(await names(one.token)).toEqual(['embed']);

    const refused = await api(relay, reader.token, 'POST', 'api/tools/embed', {});
    expect([refused.status, codeOf(refused)]).toEqual([403, 'forbidden']);
    expect(refused.headers.get('www-authenticate')).toBe(
      'Bearer realm="tabmesh", error="insufficient_scope", scope="tabmesh:compute"',
    );
    expect((await api(relay, one.token, 'POST', 'api/tools/echo', { text: 'hi' })).status).toBe(403);
    expect((await api(relay, reader.token, 'GET', 'api/tools/embed')).status).toBe(404);
    expect(relay.rooms[0]?.calls).toEqual([]);
    expect((await api(relay, one.token, 'POST', 'api/tools/embed', {})).status).toBe(200);
    expect((await api(relay, reader.token, 'POST', 'api/tools/echo', { text: 'hi' })).status).toBe(200);
  });

  it('ends when it expires, streams and all', async () => {
    const started = Promise.withResolvers<AbortSignal>();
    const waiting = memoryTool('waiting', (_args, { signal }) => {
      if (signal === undefined) throw new Error('no signal');
      started.resolve(signal);
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));
    });
    const relay = await relayWith({ memoryRooms: [memoryRoom('a', [waiting])] });
    const { token } = await newToken(relay, { name: 'short', expiresAt: Date.now() + 400 });
    const gone = expect(api(relay, token, 'POST', 'api/tools/waiting', {})).rejects.toThrow();
    const signal = await started.promise;
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
    await gone;
    const late = await api(relay, token, 'GET', 'api/tools');
    expect(late.status).toBe(401);
    expect(late.headers.get('www-authenticate')).toContain('error="invalid_token"');
  });

  it('ends when it is taken back, streams and all', async () => {
    const started = Promise.withResolvers<AbortSignal>();
    const waiting = memoryTool('waiting', (_args, { signal, onProgress }) => {
      if (signal === undefined) throw new Error('no signal');
      onProgress?.({ progress: 1, total: 2, message: 'half' });
      started.resolve(signal);
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));
    });
    const relay = await relayWith({ memoryRooms: [memoryRoom('a', [waiting])] });
    const { id, token } = await newToken(relay, { name: 'stream' });
    const other = await newToken(relay, { name: 'other' });
    const stream = (bearer: string) =>
      api(relay, bearer, 'POST', 'api/tools/waiting', {}, { accept: 'text/event-stream' });
    const gone = expect(stream(token)).rejects.toThrow();
    const signal = await started.promise;
    const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
    await relay.tokens.revoke(id);
    await Promise.all([aborted, gone]);
    expect((await api(relay, other.token, 'GET', 'api/tools')).status).toBe(200);
  });

  it('ends when its device is blocked in the room, streams and sessions and all', async () => {
    const started = Promise.withResolvers<AbortSignal>();
    const waiting = memoryTool('waiting', (_args, { signal }) => {
      if (signal === undefined) throw new Error('no signal');
      started.resolve(signal);
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));
    });
    const relay = await relayWith({ memoryRooms: [memoryRoom('a', [echoTool, waiting])] });
    const make = (device: string) =>
      relay.tokens.create(
        { room: 'a' as RoomId, device: device as DeviceId },
        { name: 'a', classes: ['read', 'write'] },
      );
    const [blocked, other] = [await make('device-a'), await make('device-b')];
    const begin = (token: string) => api(relay, token, 'POST', 'mcp', INITIALIZE, MCP_ACCEPT);
    for (const { token } of [blocked, other]) expect((await begin(token)).status).toBe(200);
    const gone = expect(api(relay, blocked.token, 'POST', 'api/tools/waiting', {})).rejects.toThrow();
    const signal = await started.promise;
    const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
    relay.rooms[0]?.block('device-a' as DeviceId);
    await Promise.all([aborted, gone]);
    for (const refused of [
      await api(relay, blocked.token, 'POST', 'api/tools/echo', { text: '' }),
      await api(relay, blocked.token, 'POST', 'api/tokens', { name: 'more', classes: ['read'] }),
      await begin(blocked.token),
    ]) {
      expect([refused.status, codeOf(refused)]).toEqual([401, 'unauthorized']);
    }
    expect((await api(relay, other.token, 'POST', 'api/tools/echo', { text: '' })).status).toBe(200);
    const { body } = await api(relay, null, 'GET', 'metrics');
    expect(String(body)).toContain('\ntabmesh_mcp_sessions 1\n');
  });
});

const MCP_ACCEPT = { accept: 'application/json, text/event-stream' };
const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
};

describe('rates', () => {
  const times = async (n: number, call: () => Promise<{ readonly status: number }>) => {
    const statuses: number[] = [];
    for (let i = 0; i < n; i++) statuses.push((await call()).status);
    return statuses;
  };

  it('are those of the token, told with the time to wait', async () => {
    const relay = await relayWith();
    const { token } = await newToken(relay, { name: 'slow', perMinute: 2 });
    const echo = () => api(relay, token, 'POST', 'api/tools/echo', { text: 'hi' });
    expect(await times(3, echo)).toEqual([200, 200, 429]);
    const refused = await echo();
    expect(refused.headers.get('retry-after')).toBe('30');
    expect(refused.body).toMatchObject({ error: { code: 'rate_limited', retryable: true, details: { by: 'token' } } });
    // lists cost nobody anything, and other tokens are not slowed down
    expect((await api(relay, token, 'GET', 'api/tools')).status).toBe(200);
    const other = await newToken(relay, { name: 'other', perMinute: 2 });
    expect((await api(relay, other.token, 'POST', 'api/tools/echo', { text: 'hi' })).status).toBe(200);
    expect(relay.rooms[0]?.calls).toHaveLength(3);
  });

  it('hold for requests that call nothing, too', async () => {
    const relay = await relayWith({ callRates: { ...CALL_RATES, request: { burst: 2, perSecond: 0.1 } } });
    const list = () => api(relay, relay.tokens.owner, 'GET', 'api/tools');
    expect(await times(3, list)).toEqual([200, 200, 429]);
    expect((await list()).headers.get('retry-after')).toBe('10');
    expect((await api(relay, relay.tokens.owner, 'POST', 'api/tools/echo', { text: '' })).status).toBe(200);
  });

  it('are those of the member, whatever number of tokens it has', async () => {
    const relay = await relayWith({ callRates: { ...CALL_RATES, principal: { burst: 2, perSecond: 0.01 } } });
    const room = relay.rooms[0]?.room ?? null;
    const make = (device: string) => relay.tokens.create({ room, device: device as DeviceId }, { name: 'a' });
    const mine = [await make('device-a'), await make('device-a'), await make('device-a')];
    const statuses: number[] = [];
    for (const { token } of mine)
      statuses.push((await api(relay, token, 'POST', 'api/tools/echo', { text: '' })).status);
    expect(statuses).toEqual([200, 200, 429]);
    const other = await make('device-b');
    expect((await api(relay, other.token, 'POST', 'api/tools/echo', { text: '' })).status).toBe(200);
  });

  it('are those of a tool that asks others, or changes something', async () => {
    const annotations = { ...echoTool.metadata.annotations, openWorldHint: true };
    const collect = memoryTool('collect', done, { access: 'compute', annotations });
    const few = { burst: 1, perSecond: 0.01 };
    const relay = await relayWith({
      memoryRooms: [memoryRoom('a', [echoTool, collect, write])],
      callRates: { ...CALL_RATES, openWorld: few, changing: few },
    });
    const call = (tool: string) => () => api(relay, relay.tokens.owner, 'POST', `api/tools/${tool}`, { text: '' });
    expect(await times(2, call('collect'))).toEqual([200, 429]);
    expect(await times(2, call('delete_dataset'))).toEqual([200, 429]);
    expect(await times(3, call('echo'))).toEqual([200, 200, 200]);
  });
});
