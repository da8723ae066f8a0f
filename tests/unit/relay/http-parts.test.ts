import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { bearerToken } from '../../../relay/http/bearer.ts';
import { clientKey } from '../../../relay/http/client-address.ts';
import { createLiveRequests } from '../../../relay/http/gate/live-requests.ts';
import { decisionFor } from '../../../relay/http/mcp/decisions.ts';
import { onBodyEnd } from '../../../relay/http/mcp/on-body-end.ts';
import { createPins } from '../../../relay/http/mcp/pins.ts';
import { createToolList } from '../../../relay/http/mcp/tool-list.ts';
import { trustedTools } from '../../../relay/http/mcp/trusted-tools.ts';
import { securityHeaders } from '../../../relay/http/security-headers.ts';
import { createKeyedBuckets } from '../../../relay/keyed-buckets.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { manualClock, settle } from '../../support/manual-clock.ts';
import { echoTool, memoryRoom, memoryTool } from '../../support/room-tools.ts';

describe('a bearer token', () => {
  it.each([
    ['Bearer tm_abc-_~+/=', 'tm_abc-_~+/='],
    ['bearer  x', 'x'],
    ['Bearer', undefined],
    ['Bearer ', undefined],
    ['Bearer a b', undefined],
    ['Basic abc', undefined],
    ['xBearer abc', undefined],
    [undefined, undefined],
  ])('of %j is %j', (header, token) => {
    expect(bearerToken(header)).toBe(token);
  });
});

describe('the key of a client', () => {
  const request = (remoteAddress: string, forwarded?: string) =>
    ({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } }) as unknown as IncomingMessage;

  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::9', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
  ])('%s is %s', (address, key) => {
    expect(clientKey(request(address), false)).toBe(key);
  });

  it('is the entry that the own proxy added, and only when it is trusted', () => {
    expect(clientKey(request('127.0.0.1', 'spoofed, 192.0.2.7'), true)).toBe('192.0.2.7');
    expect(clientKey(request('127.0.0.1', 'spoofed, 192.0.2.7'), false)).toBe('127.0.0.1');
    expect(clientKey(request('127.0.0.1'), true)).toBe('127.0.0.1');
  });
});

describe('the requests that are being answered', () => {
  it('leave nothing behind when the client went away before they were counted', async () => {
    const live = createLiveRequests(systemClock);
    const server = createServer();
    const answering = once(server, 'request') as Promise<[IncomingMessage, ServerResponse]>;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    const [, response] = await answering;
    const holder = { id: 'a', scope: { classes: [], tools: null, expiresAt: null } };
    live.add(holder, response);
    expect(live.count()).toBe(1);
    const closed = once(response, 'close');
    client.destroy();
    await closed;
    // as after asking an identity provider for its keys
    live.add(holder, response);
    expect(live.count()).toBe(0);
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('rates by key', () => {
  it('are apart, and refill', async () => {
    const clock = manualClock();
    const buckets = createKeyedBuckets({ burst: 2, perSecond: 1 }, clock);
    expect([buckets.take('a'), buckets.take('a'), buckets.take('a'), buckets.take('b')]).toEqual([
      true,
      true,
      false,
      true,
    ]);
    await clock.advance(1000);
    expect([buckets.take('a'), buckets.take('a')]).toEqual([true, false]);
    await clock.advance(60_000);
    expect([buckets.take('a'), buckets.take('a'), buckets.take('a')]).toEqual([true, true, false]);
  });
});

describe('the list of tools that MCP shows', () => {
  it('is in the order of names and made anew only when it says something else', () => {
    const b = memoryTool('b', () => ({}));
    const a = memoryTool('a', () => ({}));
    const room = memoryRoom('room', [b, a]);
    let changes = 0;
    const pins = createPins({ initial: {}, save: () => Promise.resolve() }, () => undefined);
    const list = createToolList(trustedTools(room.tools, pins), () => changes++);
    const before = list.tools();
    expect(before.map(({ shown }) => shown.name)).toEqual(['a', 'b']);
    room.set([a, b]);
    expect([list.tools() === before, changes]).toEqual([true, 0]);
    room.set([a, echoTool]);
    expect([list.tools().map(({ shown }) => shown.name), changes]).toEqual([['a', 'echo'], 1]);
    expect(list.metadata('b')).toBeUndefined();
    list.close();
    room.set([]);
    expect(changes).toBe(1);
  });
});

describe('what a person decides before a call', () => {
  it('is nothing for a tool that is named like what every object has', () => {
    const canAsk = { _meta: { 'io.modelcontextprotocol/clientCapabilities': { elicitation: {} } } };
    expect(decisionFor('constructor', { query: 'x' }, canAsk)).toBeNull();
  });
});

describe('the end of a body', () => {
  const body = (chunks: readonly string[]) =>
    new Response(Readable.toWeb(Readable.from(chunks.map((chunk) => Buffer.from(chunk)))) as ReadableStream);
  const gone = new AbortController();
  const counted = (response: Response) => {
    let ends = 0;
    const request = { method: 'POST', signal: gone.signal };
    return { response: onBodyEnd(response, () => ends++, request), ends: () => ends };
  };

  it('is told once, when it is read, given up, broken, or was never there', async () => {
    const read = counted(body(['a', 'b']));
    expect(read.ends()).toBe(0);
    expect(await read.response.text()).toBe('ab');
    expect(read.ends()).toBe(1);

    const left = counted(body(['a', 'b']));
    await left.response.body?.cancel();
    expect(left.ends()).toBe(1);

    const quiet = counted(new Response(new ReadableStream()));
    const reader = quiet.response.body?.getReader();
    const pending = reader?.read();
    await settle();
    await reader?.cancel();
    await pending;
    expect(quiet.ends()).toBe(1);

    const broken = counted(
      new Response(
        new ReadableStream({
          start: (controller) => {
            controller.error(new Error('gone'));
          },
        }),
      ),
    );
    await expect(broken.response.text()).rejects.toThrow('gone');
    expect(broken.ends()).toBe(1);
    expect(counted(new Response(null, { status: 202 })).ends()).toBe(1);
  });

  it('of a quiet stream is told when its client goes away, not with its next byte', async () => {
    const quiet = counted(new Response(new ReadableStream()));
    const reading = quiet.response.text();
    gone.abort();
    expect(await reading).toBe('');
    expect(quiet.ends()).toBe(1);
  });
});

describe('the policy of the app', () => {
  it.each([
    ['http://192.168.1.5:8787/', 'ws://192.168.1.5:8787'],
    ['https://relay.example.org/', 'wss://relay.example.org'],
  ])('of %s lets it open sockets to %s', (app, socket) => {
    const policy = securityHeaders(app)['content-security-policy'] ?? '';
    const connect = policy.split('; ').find((rule) => rule.startsWith('connect-src '));
    expect(connect?.split(' ')).toContain(socket);
  });
});
