import { afterEach, describe, expect, it } from 'vitest';
import { startTestRelay, type TestRelay } from '../support/relay-http.ts';
import { memoryRoom, memoryTool } from '../support/room-tools.ts';
import { soon } from '../support/soon.ts';

const REVISION = '2025-11-25';

let relay: TestRelay | undefined;
afterEach(async () => {
  await relay?.close();
  relay = undefined;
});

/** A session of the older wire, spoken by hand. */
async function openSession({ urls, tokens }: TestRelay) {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: `Bearer ${tokens.owner}`,
    'mcp-protocol-version': REVISION,
  };
  const post = (method: string, params: object, signal?: AbortSignal, path = '') =>
    fetch(urls.mcp + path, {
      method: 'POST',
      headers,
      body: JSON.stringify({ jsonrpc: '2.0', id: 7, method, params }),
      ...(signal === undefined ? {} : { signal }),
    });
  const began = await post('initialize', {
    protocolVersion: REVISION,
    capabilities: {},
    clientInfo: { name: 'test', version: '1' },
  });
  await began.text();
  headers['mcp-session-id'] = began.headers.get('mcp-session-id') ?? '';
  return {
    post,
    resume: (lastEventId: string) =>
      fetch(urls.mcp, {
        headers: { ...headers, accept: 'text/event-stream', 'last-event-id': lastEventId },
        signal: AbortSignal.timeout(5_000),
      }),
  };
}

/** Reads a stream until its text fits. */
async function readUntil(response: Response, pattern: RegExp): Promise<string> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let text = '';
  while (!pattern.test(text)) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += decoder.decode(value, { stream: true });
  }
  return text;
}

describe('a stream of the older wire that breaks', () => {
  it('is taken up where it ended: the call goes on, and its answer comes after all', async () => {
    const { promise, resolve } = Promise.withResolvers<object>();
    const signals: (AbortSignal | undefined)[] = [];
    const tool = memoryTool('slow', (_args, { signal }) => {
      signals.push(signal);
      return promise;
    });
    relay = await startTestRelay({ memoryRooms: [memoryRoom('room-a', [tool])] });
    const session = await openSession(relay);
    const breaking = new AbortController();
    const call = await session.post('tools/call', { name: 'slow', arguments: {} }, breaking.signal);
    const first = await readUntil(call, /^id: (.+)$/m);
    const lastEventId = /^id: (.+)$/m.exec(first)?.[1] ?? '';
    await soon(() => signals.length).toBe(1);
    breaking.abort();

    let resumed = await session.resume(lastEventId);
    // until the relay has noticed that the first one is broken
    await soon(async () => {
      if (resumed.status !== 200) resumed = await session.resume(lastEventId);
      return resumed.status;
    }).toBe(200);
    expect(signals[0]?.aborted).toBe(false);
    resolve({ answer: 42 });
    const rest = await readUntil(resumed, /"answer":42/);
    expect(rest).toMatch(/"id":7/);
  });

  it('is not taken up from an event that is not kept', async () => {
    relay = await startTestRelay();
    const session = await openSession(relay);
    expect((await session.resume('nothing.1')).status).toBe(400);
  });
});

describe('a session of the older wire', () => {
  it('works at the address where it began, and nowhere else', async () => {
    relay = await startTestRelay();
    const session = await openSession(relay);
    expect((await session.post('tools/list', {})).status).toBe(200);
    expect((await session.post('tools/list', {}, undefined, '?mode=compact')).status).toBe(404);
    expect((await session.post('tools/list', {}, undefined, '/peers/12D3KooWRelay')).status).toBe(404);
  });
});
