import { describe, expect, it } from 'vitest';
import { PROTOCOLS } from '../../../src/contracts/versions.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import { encodeFrame, FrameDecoder, MAX_FRAME_BYTES } from '../../../src/mesh/rpc/frames.ts';
import { MEMBER_QUOTAS, STRANGER_QUOTAS } from '../../../src/mesh/rpc/quotas.ts';
import { PROTOCOL_TOKENS } from '../../../src/mesh/rpc/tokens.ts';
import { settle } from '../../support/manual-clock.ts';
import { answerTo, CALLER, mcpEnd, request } from '../../support/mcp-end.ts';
import { never, rawPair, sessionPair } from '../../support/rpc-pair.ts';

const initialize = { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2024-11-05' } };
const refusedWith = (token: string) => ({ error: { data: { details: { token } } } });

describe('FR: the transport as it was meant', () => {
  it('FR1 its id is constant and a frame has at most 16 MiB', () => {
    expect(PROTOCOLS.mcp).toBe('/mcp+p2p/1.0.0');
    expect(MAX_FRAME_BYTES).toBe(16_777_216);
  });

  it('FR2 a frame is four bytes of length, high first, and the body, and comes out as it went in', () => {
    const frame = encodeFrame('{"a":"ä"}');
    expect([...frame.subarray(0, 4)]).toEqual([0, 0, 0, 10]);
    expect(new FrameDecoder().push(frame).map((body) => new TextDecoder().decode(body))).toEqual(['{"a":"ä"}']);
  });

  it('FR3 a revision that does not exist is refused, and those that do are named', async () => {
    const { raw, tools } = mcpEnd();
    const forged = request(1, 'tools/call', { name: 'echo', arguments: {} });
    raw.say({
      ...forged,
      params: {
        ...forged.params,
        _meta: { ...forged.params._meta, 'io.modelcontextprotocol/protocolVersion': '9999-01-01' },
      },
    });
    await expect
      .poll(() => answerTo(raw, 1))
      .toMatchObject({
        error: { code: -32022, data: { details: { token: 'unsupported_version', supported: ['2026-07-28'] } } },
      });
    expect(tools.calls).toEqual([]);
  });

  it.each([
    ['a call', { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: {} } }],
    ['a list', { jsonrpc: '2.0', id: 1, method: 'tools/list' }],
  ])('FR4 %s as the first message, without a revision, is init_required and the end', async (_what, message) => {
    const { raw, end, tools } = mcpEnd();
    raw.say(message);
    await expect.poll(() => end.session.closed).toBe(true);
    expect(answerTo(raw, 1)).toMatchObject({
      error: { message: 'init_required', ...refusedWith('init_required').error },
    });
    expect(tools.calls).toEqual([]);
  });

  it('FR5 initialize is acknowledged with the id of the transport', async () => {
    const { raw } = mcpEnd();
    raw.say(initialize);
    await expect
      .poll(() => answerTo(raw, 1))
      .toMatchObject({
        result: {
          protocolVersion: '2024-11-05',
          transport: '/mcp+p2p/1.0.0',
          serverInfo: { name: 'served', version: '1.2.3' },
          capabilities: { tools: {} },
        },
      });
  });

  it('FR6 tools/list and tools/call work after it, without a word of the revision', async () => {
    const { raw, tools } = mcpEnd();
    raw.say(initialize);
    raw.say({ jsonrpc: '2.0', method: 'notifications/initialized' });
    raw.say({ jsonrpc: '2.0', id: 2, method: 'tools/list' });
    raw.say({ jsonrpc: '2.0', id: 3, method: 'tools/call', params: { name: 'echo', arguments: { text: 'hi' } } });
    await expect.poll(() => answerTo(raw, 2)).toMatchObject({ result: { tools: [{ name: 'echo' }] } });
    await expect.poll(() => answerTo(raw, 3)).toMatchObject({ result: { structuredContent: { text: 'hi' } } });
    expect(tools.calls).toEqual([
      { tool: 'echo', principal: { kind: 'device', device: CALLER.device, peer: CALLER.peer } },
    ]);
    raw.say({ ...initialize, id: 4 });
    await expect.poll(() => answerTo(raw, 4)).toHaveProperty('error');
  });

  it('FR7 notifications get no answer, unknown ones neither', async () => {
    const { raw, end } = mcpEnd();
    raw.say(initialize);
    raw.say({ jsonrpc: '2.0', method: 'notifications/never-heard-of', params: {} });
    raw.say({ jsonrpc: '2.0', method: 'tools/list' });
    raw.say({ jsonrpc: '2.0', id: 2, method: 'ping' });
    await expect.poll(() => answerTo(raw, 2)).toBeDefined();
    expect(raw.heard).toHaveLength(2);
    expect(end.session.closed).toBe(false);
  });

  it('FR8 an unknown method is method_not_found, and the stream goes on', async () => {
    const { raw, end } = mcpEnd();
    raw.say(request(1, 'tools/burn'));
    raw.say(request(2, 'ping'));
    await expect
      .poll(() => answerTo(raw, 1))
      .toMatchObject({
        error: { code: -32601, ...refusedWith('method_not_found').error },
      });
    await expect.poll(() => answerTo(raw, 2)).toMatchObject({ result: {} });
    expect(end.session.closed).toBe(false);
  });

  it('FR9 a frame that is too large is frame_too_large and the end', async () => {
    const { raw, end } = mcpEnd({ maxBytes: 100 });
    raw.sayBytes(Uint8Array.of(0, 0, 0, 101));
    await expect.poll(() => end.session.closed).toBe(true);
    expect(raw.heard).toMatchObject([
      {
        id: null,
        error: { message: 'frame_too_large', data: { details: { token: 'declared_frame_too_large', bytes: 101 } } },
      },
    ]);
  });
});

describe('AB: abuse', () => {
  it('AB1 a payload that is too large is refused before it is sent', () => {
    expect(() => encodeFrame(new Uint8Array(101), 100)).toThrow(
      expect.objectContaining({
        code: 'payload_too_large',
        details: { token: 'frame_too_large', bytes: 101, maxBytes: 100 },
      }),
    );
    expect(() => encodeFrame('ä'.repeat(51), 100)).toThrow(expect.objectContaining({ code: 'payload_too_large' }));
    expect(() => encodeFrame(new Uint16Array(2) as never)).toThrow(
      expect.objectContaining({ details: { token: 'frame_not_bytes' } }),
    );
  });

  it('AB2 a declared length over the limit is refused with nothing allocated for it', () => {
    const decoder = new FrameDecoder();
    expect(() => decoder.push(Uint8Array.of(1, 0, 0, 1))).toThrow(
      expect.objectContaining({
        details: { token: 'declared_frame_too_large', bytes: 16_777_217, maxBytes: MAX_FRAME_BYTES },
      }),
    );
    expect(decoder.heldBytes).toBeLessThan(16);
  });

  it.each([
    ['prefix', [0, 0], 'incomplete_prefix'],
    ['body', [0, 0, 0, 5, 123], 'incomplete_frame'],
  ])('AB3 a stream that ends inside the %s is refused', async (_what, bytes, token) => {
    const decoder = new FrameDecoder();
    decoder.push(Uint8Array.from(bytes));
    expect(() => {
      decoder.end();
    }).toThrow(expect.objectContaining({ details: { token } }));
    const { raw, end, tools } = mcpEnd();
    raw.sayBytes(Uint8Array.from(bytes));
    await raw.wire.stream.close();
    await expect.poll(() => end.session.closed).toBe(true);
    expect(end.session.refused.get(token as never)).toBe(1);
    expect(tools.calls).toEqual([]);
  });

  it('AB4 a negative length is one that is too large', () => {
    const minusOne = new Uint8Array(4);
    new DataView(minusOne.buffer).setInt32(0, -1);
    expect(() => new FrameDecoder().push(minusOne)).toThrow(/4294967295 bytes/);
  });

  it('AB5 nothing runs before both sides know what they speak', async () => {
    const { raw, end, tools } = mcpEnd();
    raw.say({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: {} } });
    raw.say(request(2, 'tools/call', { name: 'echo', arguments: {} }));
    await expect.poll(() => end.session.closed).toBe(true);
    await settle();
    expect(tools.calls.length).toBeLessThanOrEqual(1);
    expect(answerTo(raw, 2)).toBeUndefined();
    const { raw: vague, tools: idle } = mcpEnd();
    const half = request(1, 'tools/call', { name: 'echo', arguments: {} });
    vague.say({
      ...half,
      params: { ...half.params, _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } },
    });
    await expect.poll(() => answerTo(vague, 1)).toMatchObject({ error: { code: -32602 } });
    expect(idle.calls).toEqual([]);
  });

  it('AB6 an unknown method or tool never counts as done', async () => {
    const { raw, tools } = mcpEnd();
    raw.say(request(1, 'tools/call', { name: 'nothing', arguments: {} }));
    raw.say(request(2, 'tools/run', { name: 'echo' }));
    raw.say(request(3, 'toString'));
    for (const id of [1, 2, 3]) await expect.poll(() => answerTo(raw, id)).toHaveProperty('error');
    expect(tools.calls).toEqual([]);
  });

  describe('AB7 a request fails unless it was really answered:', () => {
    const asked = async (spoil: (raw: ReturnType<typeof rawPair>[0], id: number) => void) => {
      const [raw, { session }] = rawPair(never);
      const answer = session.request('tools/call', {}, { timeoutMs: 50 });
      await expect.poll(() => raw.heard).toHaveLength(1);
      spoil(raw, raw.heard[0]?.['id'] as number);
      return answer.then(
        (value) => ({ value }),
        (error: unknown) => ({ code: (error as TabmeshError).code }),
      );
    };

    it.each<[string, Parameters<typeof asked>[0], unknown]>([
      ['reset', ({ wire }) => wire.stream.abort(new Error('reset')), { code: 'peer_unreachable' }],
      ['closed', ({ wire }) => void wire.stream.close(), { code: 'peer_unreachable' }],
      ['a broken frame', ({ sayBytes }) => sayBytes(Uint8Array.of(255, 0, 0, 0)), { code: 'peer_unreachable' }],
      ['an empty frame', ({ sayBytes }) => sayBytes(Uint8Array.of(0, 0, 0, 0)), { code: 'peer_unreachable' }],
      ['neither result nor error', ({ say }, id) => say({ jsonrpc: '2.0', id }), { code: 'peer_unreachable' }],
      ['no answer', () => undefined, { code: 'timeout' }],
      [
        'an error',
        ({ say }, id) => say({ jsonrpc: '2.0', id, error: { code: -32602, message: 'no' } }),
        { code: 'invalid_input' },
      ],
      ['an answer', ({ say }, id) => say({ jsonrpc: '2.0', id, result: { all: 'well' } }), { value: { all: 'well' } }],
    ])('%s', async (_what, spoil, expected) => {
      expect(await asked(spoil)).toEqual(expected);
    });
  });

  it('AB8 a request that was here before is duplicate_frame, and runs once', async () => {
    const { raw, tools } = mcpEnd();
    const call = request(7, 'tools/call', { name: 'echo', arguments: {} });
    raw.say(call);
    await expect.poll(() => tools.calls).toHaveLength(1);
    raw.say(call);
    await expect.poll(() => raw.heard).toHaveLength(2);
    expect(raw.heard[1]).toMatchObject({ id: 7, ...refusedWith('duplicate_frame') });
    expect(tools.calls).toHaveLength(1);
  });

  it('AB8 and one that is running is duplicate_in_flight_id', async () => {
    const [raw, { session }] = rawPair(never);
    raw.say({ jsonrpc: '2.0', id: 7, method: 'x' });
    raw.say({ jsonrpc: '2.0', id: 7, method: 'x' });
    await expect.poll(() => raw.heard).toHaveLength(1);
    expect(raw.heard[0]).toMatchObject({ id: 7, ...refusedWith('duplicate_in_flight_id') });
    expect(session.serving).toBe(1);
  });

  it.each([
    ["a member's burst", MEMBER_QUOTAS],
    ["a stranger's burst", STRANGER_QUOTAS],
  ])('AB9 one message more than %s ends the stream', async (_whose, quotas) => {
    const [raw, { session }] = rawPair(() => Promise.resolve({}), { quotas: { ...quotas, messagesPerSecond: 0 } });
    for (let id = 0; id <= quotas.messageBurst; id++) raw.say({ jsonrpc: '2.0', id, method: 'ping' });
    await expect.poll(() => session.closed).toBe(true);
    expect(answerTo(raw, null)).toMatchObject(refusedWith('message_rate_or_bandwidth_exceeded'));
  });

  it('AB9 so do too many bytes', async () => {
    const [raw, { session }] = rawPair(() => Promise.resolve({}), { quotas: { bytesPerSecond: 1_000 } });
    for (let id = 0; id < 3; id++)
      raw.say({ jsonrpc: '2.0', id, method: 'ping', params: { filling: 'x'.repeat(900) } });
    await expect.poll(() => session.closed).toBe(true);
    expect(session.refused.get('message_rate_or_bandwidth_exceeded')).toBe(1);
  });

  it('AB11 a principal in a message that nobody has signed is not believed (UCANs: tests/integration/grants)', async () => {
    const { raw, tools } = mcpEnd();
    const call = request(1, 'tools/call', { name: 'echo', arguments: {} });
    const principal = { kind: 'token', tokenId: 'owner', name: 'owner', relay: CALLER.peer };
    raw.say({ ...call, params: { ...call.params, _meta: { ...call.params._meta, 'tabmesh/principal': principal } } });
    await expect.poll(() => answerTo(raw, 1)).toMatchObject({ result: { isError: true } });
    expect(tools.calls).toEqual([]);
  });

  it('AB12 (fences come with claims): an answer to a request that was given up changes nothing', async () => {
    const [raw, { session }] = rawPair(never);
    const stop = new AbortController();
    const answer = session.request('x', {}, { signal: stop.signal });
    await expect.poll(() => raw.heard).toHaveLength(1);
    stop.abort(new TabmeshError('cancelled', 'enough'));
    await expect(answer).rejects.toMatchObject({ code: 'cancelled' });
    raw.say({ jsonrpc: '2.0', id: raw.heard[0]?.['id'], result: 'late' });
    await settle();
    expect([...session.refused]).toEqual([]);
    expect(session.closed).toBe(false);
  });

  it.each([
    ['AB13 a second answer to the same request is duplicate_response_id', 1, 'duplicate_response_id'],
    ['AB14 an answer to a request that was never made is unknown_request_id', 99, 'unknown_request_id'],
    ['AB14 so is one to a request of another kind of id', 'x', 'unknown_request_id'],
  ])('%s; it is dropped, and many of them end the stream', async (_what, id, token) => {
    const [raw, { session }] = rawPair(never);
    const answer = session.request('x', {});
    await expect.poll(() => raw.heard).toHaveLength(1);
    raw.say({ jsonrpc: '2.0', id: 1, result: 'first' });
    await expect(answer).resolves.toBe('first');
    raw.say({ jsonrpc: '2.0', id, result: 'second' });
    await expect.poll(() => session.refused.get(token as never)).toBe(1);
    expect(session.closed).toBe(false);
    for (let i = 0; i < 64; i++) raw.say({ jsonrpc: '2.0', id, result: 'again' });
    await expect.poll(() => session.closed).toBe(true);
  });

  it.each([
    ['{"jsonrpc":"2.0","abuse":"unheard of"}', 'response_missing_id'],
    ['{"type":"abuse","id":1}', 'payload_not_object'],
    ['{"jsonrpc":"2.0","id":1,"method":"x","params":"text"}', 'payload_not_object'],
    ['\u0000', 'payload_not_object'],
    ['"text"', 'payload_not_object'],
    ['[{"jsonrpc":"2.0","id":1,"method":"ping"}]', 'payload_not_object'],
  ])('AB15 what is none of these is refused too: %j', async (text, token) => {
    const { raw, end, tools } = mcpEnd();
    raw.say(text);
    await expect.poll(() => end.session.closed).toBe(true);
    expect(answerTo(raw, null)).toMatchObject(refusedWith(token));
    expect(tools.calls).toEqual([]);
  });
});

describe('the rest of the protocol', () => {
  it('has the tokens of MCP++ Profile E, each once', () => {
    expect(new Set(PROTOCOL_TOKENS).size).toBe(PROTOCOL_TOKENS.length);
    expect(PROTOCOL_TOKENS).toEqual(
      expect.arrayContaining(
        `payload_not_object frame_too_large frame_not_bytes incomplete_prefix declared_frame_too_large duplicate_in_flight_id
        in_flight_limit unknown_request_id already_cancelled response_missing_id stream_quota_exceeded
        in_flight_quota_exceeded message_rate_or_bandwidth_exceeded duplicate_frame duplicate_response_id idle_timeout
        init_required method_not_found unauthorized`.split(/\s+/),
      ),
    );
  });

  it('answers an envelope in an envelope', async () => {
    const { raw, tools } = mcpEnd();
    raw.say({ type: 'request', id: 'a', method: 'initialize', params: {}, sender: 'somebody', timestamp: 1 });
    raw.say({ type: 'event', method: 'notifications/initialized' });
    raw.say({ type: 'request', id: 'b', method: 'tools/call', params: { name: 'echo', arguments: { n: 1 } } });
    raw.say({ type: 'request', id: 'c', method: 'nothing' });
    await expect.poll(() => raw.heard).toHaveLength(3);
    expect(answerTo(raw, 'a')).toMatchObject({ type: 'response', result: { transport: '/mcp+p2p/1.0.0' } });
    expect(answerTo(raw, 'b')).toMatchObject({ type: 'response', result: { structuredContent: { n: 1 } } });
    expect(answerTo(raw, 'c')).toMatchObject({ type: 'response', error: 'this peer has no method nothing' });
    expect(tools.calls).toHaveLength(1);
  });

  it('takes an answer in an envelope, and an error', async () => {
    const [raw, { session }] = rawPair(never);
    const well = session.request('x', {});
    const badly = session.request('y', {});
    badly.catch(() => undefined);
    await expect.poll(() => raw.heard).toHaveLength(2);
    raw.say({ type: 'response', id: 1, result: 5 });
    raw.say({ type: 'response', id: 2, error: 'it broke' });
    await expect(well).resolves.toBe(5);
    await expect(badly).rejects.toMatchObject({ code: 'protocol_error', message: 'it broke' });
  });

  it('tells who waits why the other side has closed', async () => {
    const [raw, { session }] = rawPair(never);
    const answer = session.request('x', {});
    answer.catch(() => undefined);
    await expect.poll(() => raw.heard).toHaveLength(1);
    const data = { ...new TabmeshError('not_a_member', 'not proven', { details: { token: 'unauthorized' } }).toWire() };
    raw.say({ jsonrpc: '2.0', id: null, error: { code: -32000, message: 'unauthorized', data } });
    raw.wire.stream.abort(new Error('reset'));
    await expect(answer).rejects.toMatchObject({
      code: 'peer_unreachable',
      message: 'the peer went away before it answered: not proven',
      details: { token: 'unauthorized', sent: true },
    });
  });

  it('carries a call over two hops with its progress and its cancellation', async () => {
    let ended: unknown;
    const [middle] = sessionPair((_method, params, context) => {
      const { progressToken } = params['_meta'] as { progressToken: number };
      context.notify('notifications/progress', { progressToken, progress: 1 });
      context.signal.addEventListener('abort', () => (ended = context.signal.reason));
      return never('', {}, context);
    });
    const [first] = sessionPair((method, params, context) => {
      const { progressToken } = params['_meta'] as { progressToken: number };
      return middle.session.request(
        method,
        {},
        {
          signal: context.signal,
          onProgress: (told) => {
            context.notify('notifications/progress', { ...told, progressToken });
          },
        },
      );
    });
    const stop = new AbortController();
    const seen: unknown[] = [];
    const answer = first.session.request(
      'long',
      {},
      { signal: stop.signal, onProgress: (told) => seen.push(told['progress']) },
    );
    answer.catch(() => undefined);
    await expect.poll(() => seen).toEqual([1]);
    stop.abort(new TabmeshError('cancelled', 'enough'));
    await expect(answer).rejects.toMatchObject({ code: 'cancelled' });
    await expect.poll(() => ended).toMatchObject({ code: 'cancelled' });
  });
});
