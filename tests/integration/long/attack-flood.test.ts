import { afterEach, describe, expect, it } from 'vitest';
import { CALL_RATES } from '../../../relay/http/gate/rates.ts';
import { SESSION_LIMITS } from '../../../relay/http/mcp/limits.ts';
import { Slots } from '../../../src/lib/slots.ts';
import type { DeviceId } from '../../../src/lib/ids.ts';
import { api } from '../../support/api.ts';
import { slowClient } from '../../support/raw-http.ts';
import { startTestRelay, type TestRelay, type TestRelayOptions } from '../../support/relay-http.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function relayWith(options: TestRelayOptions = {}): Promise<TestRelay> {
  const relay = await startTestRelay(options);
  cleanups.push(() => relay.close());
  return relay;
}

describe('a client that speaks slowly', () => {
  const times = { headersMs: 300, requestMs: 600, checkMs: 50 };

  it('is cut off while it still says its headers, or its body; others are served meanwhile', async () => {
    const relay = await relayWith({ times });
    const url = new URL(relay.urls.app);
    const head = `POST /api/tools/echo HTTP/1.1\r\nHost: ${url.host}\r\nAuthorization: Bearer ${relay.tokens.owner}\r\n`;
    const slow = await Promise.all([
      ...Array.from({ length: 50 }, () => slowClient(url, `GET / HTTP/1.1\r\nHost: ${url.host}\r\nX-a: `)),
      slowClient(url, `${head}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"text":`),
    ]);
    const drip = setInterval(() => {
      for (const { socket } of slow) if (socket.writable) socket.write('b');
    }, 100);
    const answer = await api(relay, relay.tokens.owner, 'POST', 'api/tools/echo', { text: 'quick' });
    expect(answer.status).toBe(200);
    const ends = await Promise.all(slow.map(({ ended }) => ended));
    clearInterval(drip);
    for (const end of ends) expect(end).toMatch(/^(HTTP\/1\.1 408 Request Timeout|$)/);
    expect(relay.rooms[0]?.calls).toHaveLength(1);
  });

  it('that is only a little slow is served', async () => {
    const relay = await relayWith({ times });
    const url = new URL(relay.urls.app);
    const { socket, ended } = await slowClient(url, `GET /health HTTP/1.1\r\nHost: ${url.host}\r\n`);
    setTimeout(() => socket.write('Connection: close\r\n\r\n'), 100);
    expect(await ended).toMatch(/^HTTP\/1\.1 200 OK/);
  });
});

describe('more headers than anybody sends', () => {
  it('are refused, and a usual number is not', async () => {
    const relay = await relayWith();
    const large = { 'x-padding': 'x'.repeat(20_000) };
    expect((await api(relay, relay.tokens.owner, 'GET', 'api/tools', undefined, large)).status).toBe(431);
    const usual = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`x-${String(i)}`, 'x']));
    expect((await api(relay, relay.tokens.owner, 'GET', 'api/tools', undefined, usual)).status).toBe(200);
  });
});

/** Each is a request of its own; so many at once that the test ends soon, and no queue overflows. */
const AT_ONCE = 64;

describe('idle sessions', () => {
  const ACCEPT = { accept: 'application/json, text/event-stream' };
  const INITIALIZE = {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'idle', version: '1' } },
  };
  const begin = async (relay: TestRelay, token: string) => {
    const { status, headers } = await api(relay, token, 'POST', 'mcp', INITIALIZE, ACCEPT);
    if (status !== 200) throw new Error(`status ${String(status)}`);
    return headers.get('mcp-session-id') ?? '';
  };
  const listed = async (relay: TestRelay, token: string, session: string) => {
    const list = { jsonrpc: '2.0', id: 2, method: 'tools/list', params: {} };
    return (await api(relay, token, 'POST', 'mcp', list, { ...ACCEPT, 'mcp-session-id': session })).status;
  };
  const sessions = async (relay: TestRelay) => {
    const { body } = await api(relay, null, 'GET', 'metrics');
    return Number(/^tabmesh_mcp_sessions (\d+)$/m.exec(String(body))?.[1]);
  };

  it('of one member make room for each other, and cost the others nothing', async () => {
    const relay = await relayWith();
    const made = (device: string) =>
      relay.tokens.create({ room: relay.rooms[0]?.room ?? null, device: device as DeviceId }, { name: device });
    const [greedy, modest] = [await made('greedy'), await made('modest')];
    const mine = await begin(relay, modest.token);
    const slots = new Slots(AT_ONCE);
    const ids: string[] = [];
    await Promise.all(
      Array.from({ length: 1_000 }, () => slots.run(async () => ids.push(await begin(relay, greedy.token)))),
    );
    expect(new Set(ids).size).toBe(1_000);
    expect(await sessions(relay)).toBeLessThanOrEqual(SESSION_LIMITS.perOwner + 1);
    expect(await listed(relay, modest.token, mine)).toBe(200);
    expect(await listed(relay, greedy.token, ids[0] ?? '')).toBe(404);
    expect(await listed(relay, greedy.token, await begin(relay, greedy.token))).toBe(200);
  });

  it('are kept for little, ten thousand of them where so many are allowed', { timeout: 120_000 }, async () => {
    const many = { ...SESSION_LIMITS, perOwner: 10_000, total: 10_000 };
    const relay = await relayWith({ sessionLimits: many, callRates: { ...CALL_RATES, request: CALL_RATES.token } });
    const slots = new Slots(AT_ONCE);
    const ids: string[] = [];
    const open = (count: number) =>
      Promise.all(
        Array.from({ length: count }, () => slots.run(async () => ids.push(await begin(relay, relay.tokens.owner)))),
      );
    await open(1_000);
    const before = process.memoryUsage.rss();
    await open(9_000);
    const perSession = (process.memoryUsage.rss() - before) / 9_000;
    expect(await sessions(relay)).toBe(10_000);
    // with the client's own share, which is in this process as well
    expect(perSession).toBeLessThan(64 * 1024);
    expect(await listed(relay, relay.tokens.owner, ids[0] ?? '')).toBe(200);
  });
});
