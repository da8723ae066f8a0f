import { describe, expect, it, vi } from 'vitest';
import type { PeerId } from '../../../src/lib/ids.ts';
import { MovedAnswers } from '../../../src/mesh/rpc/moved-answers.ts';
import { REQUEST_META } from '../../../src/mesh/rpc/mcp-wire.ts';
import { MAX_RELAYED_ANSWER_BYTES } from '../../../src/mesh/rpc/relayed.ts';
import type { RpcSession } from '../../../src/mesh/rpc/session.ts';
import { linkedPair } from '../../support/linked-sessions.ts';

const LARGE = 'x'.repeat(MAX_RELAYED_ANSWER_BYTES);
const limits = { bytes: 4_000_000n, seconds: 60 };

describe('calls over a relayed link', () => {
  it('are made and answered', async () => {
    const pair = await linkedPair((method) => Promise.resolve({ method }));
    pair.link(limits);
    await expect(pair.a.sessions.request(pair.b.peer, 'small', { _meta: REQUEST_META })).resolves.toEqual({
      method: 'small',
    });
  });

  it('are refused a large answer, and told what to do and what is left', async () => {
    const pair = await linkedPair(() => Promise.resolve(LARGE));
    pair.link(limits);
    const error: unknown = await pair.a.sessions
      .request(pair.b.peer, 'large', { _meta: REQUEST_META })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'payload_too_large',
      hint: 'Ask for less at once, or again when the two peers are linked directly.',
      details: { token: 'relayed_answer_too_large', maxBytes: MAX_RELAYED_ANSWER_BYTES, bytesLeft: 4_000_000 },
    });
  });

  it('get their large answer over a direct link that came about meanwhile', async () => {
    const pair = await linkedPair((method) => {
      if (method === 'large') pair.link();
      return Promise.resolve(method === 'large' ? LARGE : {});
    });
    pair.link(limits);
    const answer = await pair.a.sessions.request(pair.b.peer, 'large', { _meta: REQUEST_META });
    expect(answer).toBe(LARGE);
    await expect(pair.a.sessions.request(pair.b.peer, 'small', { _meta: REQUEST_META })).resolves.toEqual({});
  });

  it('are not made when the link has less left than they take', async () => {
    const served = vi.fn(() => Promise.resolve({}));
    const pair = await linkedPair(served);
    pair.link({ bytes: 100n });
    await expect(
      pair.a.sessions.request(pair.b.peer, 'x', { filling: 'x'.repeat(200), _meta: REQUEST_META }),
    ).rejects.toMatchObject({ code: 'payload_too_large', details: { bytesLeft: 100, sent: false } });
    expect(served).not.toHaveBeenCalled();
  });

  it('take an answer that comes another way from the peer that was asked alone', async () => {
    const moved = new MovedAnswers();
    const answered = vi.fn();
    let finish: (value: unknown) => void = () => undefined;
    let name: unknown;
    const asking = moved.ask('b' as PeerId, { answered } as unknown as RpcSession, {}, (params, onId) => {
      name = (params['_meta'] as Record<string, unknown>)['tabmesh/return-to'];
      onId(5);
      return new Promise((resolve) => (finish = resolve));
    });
    const response = { result: 'it' };
    moved.deliver('c' as PeerId, { to: name, response });
    moved.deliver('b' as PeerId, { to: 'another', response });
    moved.deliver('b' as PeerId, { to: name, response: 'nonsense' });
    expect(answered).not.toHaveBeenCalled();
    moved.deliver('b' as PeerId, { to: name, response });
    expect(answered).toHaveBeenCalledExactlyOnceWith({ jsonrpc: '2.0', id: 5, result: 'it' });
    finish('done');
    await asking;
    moved.deliver('b' as PeerId, { to: name, response });
    expect(answered).toHaveBeenCalledTimes(1);
  });
});

describe('the streams of a peer', () => {
  it('are opened once for many calls, and again after they were idle', async () => {
    const pair = await linkedPair(() => Promise.resolve({}));
    pair.link();
    const call = () => pair.a.sessions.request(pair.b.peer, 'x', { _meta: REQUEST_META });
    await Promise.all([call(), call(), call()]);
    expect(pair.b.sessions.inbound).toBe(1);
  });

  it('are closed when they are idle, and opened again by the next call', async () => {
    const pair = await linkedPair(() => Promise.resolve({}), { idleMs: 30 });
    pair.link();
    const call = () => pair.a.sessions.request(pair.b.peer, 'x', { _meta: REQUEST_META });
    await call();
    await expect.poll(() => pair.b.sessions.inbound).toBe(0);
    await expect(call()).resolves.toEqual({});
  });
});
