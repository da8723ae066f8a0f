import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import type { TakeUpgrade } from '../../relay/http/upgrade.ts';
import { TabmeshError } from '../../src/lib/errors.ts';
import { DOOR_LIMITS } from '../../relay/http/door.ts';
import { startTestRelay, type TestRelay, type TestRelayOptions } from '../support/relay-http.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

interface Inner {
  readonly take: TakeUpgrade;
  readonly requests: IncomingMessage[];
  readonly sockets: Duplex[];
}

/** What takes every upgrade, and echoes what comes. */
function echoing(): Inner {
  const requests: IncomingMessage[] = [];
  const sockets: Duplex[] = [];
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
  });
  const take: TakeUpgrade = (request, socket, head) => {
    requests.push(request);
    sockets.push(socket);
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    socket.write(head);
    socket.pipe(socket);
  };
  return { take, requests, sockets };
}

async function relayWith(options: TestRelayOptions): Promise<TestRelay> {
  const relay = await startTestRelay(options);
  cleanups.push(() => relay.close());
  return relay;
}

interface Outcome {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly socket: Socket | null;
}

function upgrade(relay: TestRelay, path: string, headers: Record<string, string> = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(new URL(path, relay.urls.app), {
      headers: { connection: 'Upgrade', upgrade: 'websocket', 'X-Spelling': 'Kept', ...headers },
    });
    request.on('upgrade', (response, socket) => {
      socket.on('error', () => undefined);
      cleanups.push(() => void socket.destroy());
      resolve({ status: 101, headers: response.headers, socket });
    });
    request.on('response', (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, headers: response.headers, socket: null });
    });
    request.on('error', reject);
    request.end();
  });
}

const next = (socket: Duplex) => new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data))));
const closed = (socket: Duplex) => new Promise<void>((resolve) => socket.once('close', resolve));

describe('WebSocket upgrades', () => {
  it('are handed to what serves their path, the request as it came', async () => {
    const own = echoing();
    const room = echoing();
    const takers: Record<string, TakeUpgrade> = { '/': own.take, '/room/a': room.take };
    const relay = await relayWith({ upgradeTaker: (path) => takers[path] });
    const { socket } = await upgrade(relay, '/room/a?x=1');
    expect(own.requests).toEqual([]);
    expect(room.requests[0]?.url).toBe('/room/a?x=1');
    expect(room.requests[0]?.rawHeaders).toContain('X-Spelling');
    expect(room.requests[0]?.headers.host).toBe(new URL(relay.urls.app).host);
    if (socket === null) throw new Error('no upgrade');
    socket.write('hello');
    expect(await next(socket)).toBe('hello');
    expect((await upgrade(relay, '/')).status).toBe(101);
    expect(own.requests).toHaveLength(1);
  });

  it('carry a lot in both directions, whole', async () => {
    const inner = echoing();
    const relay = await relayWith({ upgradeTaker: () => inner.take });
    const { socket } = await upgrade(relay, '/');
    if (socket === null) throw new Error('no upgrade');
    const sent = Buffer.alloc(4 * 1024 * 1024, 'abcdefg');
    const chunks: Buffer[] = [];
    let bytes = 0;
    const all = new Promise<void>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.byteLength;
        if (bytes >= sent.byteLength) resolve();
      });
    });
    socket.write(sent);
    await all;
    expect(Buffer.concat(chunks).equals(sent)).toBe(true);
  });

  it('of an unknown path, a foreign host or a stopped node are refused', async () => {
    const stopped: TakeUpgrade = () => {
      throw new TabmeshError('no_place', 'the node does not take connections now');
    };
    const relay = await relayWith({ upgradeTaker: (path) => (path === '/' ? stopped : undefined) });
    expect((await upgrade(relay, '/other')).status).toBe(404);
    expect((await upgrade(relay, '/', { host: 'evil.example' })).status).toBe(403);
    expect((await upgrade(relay, '/')).status).toBe(502);
  });

  it('end on both sides when either ends', async () => {
    const inner = echoing();
    const relay = await relayWith({ upgradeTaker: () => inner.take });
    const first = await upgrade(relay, '/');
    const innerClosed = closed(inner.sockets[0]!);
    first.socket?.destroy();
    await innerClosed;

    const second = await upgrade(relay, '/');
    const outerClosed = closed(second.socket as Duplex);
    second.socket?.resume();
    inner.sockets[1]?.destroy();
    await outerClosed;
  });

  it('end when the relay stops', async () => {
    const inner = echoing();
    const relay = await startTestRelay({ upgradeTaker: () => inner.take });
    const { socket } = await upgrade(relay, '/');
    const ended = closed(socket as Duplex);
    socket?.resume();
    await Promise.all([relay.close(), ended]);
  });

  it('survive a client that breaks off in the middle of its request', async () => {
    const inner = echoing();
    const relay = await relayWith({ upgradeTaker: () => inner.take });
    const socket = connect(Number(new URL(relay.urls.app).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.resetAndDestroy();
    expect((await fetch(new URL('health', relay.urls.app))).status).toBe(200);
  });
});

describe('the door', () => {
  it('lets an address open so many connections a second', async () => {
    const inner = echoing();
    const relay = await relayWith({
      upgradeTaker: () => inner.take,
      doorLimits: { ...DOOR_LIMITS, rate: { burst: 2, perSecond: 0.1 } },
    });
    const outcomes = [await upgrade(relay, '/'), await upgrade(relay, '/'), await upgrade(relay, '/')];
    expect(outcomes.map(({ status }) => status)).toEqual([101, 101, 429]);
    expect(outcomes[2]?.headers['retry-after']).toBe('1');
    expect(inner.requests).toHaveLength(2);
  });

  it('lets an address have so many connections, and counts those that ended no more', async () => {
    const inner = echoing();
    const relay = await relayWith({ upgradeTaker: () => inner.take, doorLimits: { ...DOOR_LIMITS, perAddress: 1 } });
    const { socket } = await upgrade(relay, '/');
    expect((await upgrade(relay, '/')).status).toBe(429);
    socket?.destroy();
    await expect.poll(async () => (await upgrade(relay, '/')).status, { interval: 20 }).toBe(101);
  });

  it('tells addresses behind a trusted proxy apart by the entry that the proxy added', async () => {
    const inner = echoing();
    const doorLimits = { ...DOOR_LIMITS, perAddress: 1 };
    const relay = await relayWith({ upgradeTaker: () => inner.take, doorLimits, args: ['--trust-proxy'] });
    const from = (address: string) => upgrade(relay, '/', { 'x-forwarded-for': address });
    expect((await from('198.51.100.1')).status).toBe(101);
    expect((await from('198.51.100.2')).status).toBe(101);
    expect((await from('203.0.113.9, 198.51.100.1')).status).toBe(429);

    const plain = await relayWith({ upgradeTaker: () => inner.take, doorLimits });
    expect((await upgrade(plain, '/', { 'x-forwarded-for': '198.51.100.1' })).status).toBe(101);
    expect((await upgrade(plain, '/', { 'x-forwarded-for': '198.51.100.2' })).status).toBe(429);
  });
});
