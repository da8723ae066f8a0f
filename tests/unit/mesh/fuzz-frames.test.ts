import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TabmeshError } from '../../../src/lib/errors.ts';
import { decodeHello, decodeIdentity, decodeProof, encodeJoin } from '../../../src/mesh/membership/join-messages.ts';
import {
  decodeEpochRequest,
  decodeGrant,
  encodeEpochRequest,
  encodeGrant,
  encodeRefusal,
} from '../../../src/mesh/roster/epoch-messages.ts';
import { encodeFrame } from '../../../src/mesh/rpc/frames.ts';
import { PROTOCOL_TOKENS } from '../../../src/mesh/rpc/tokens.ts';
import {
  decodeAnswer,
  decodeAsk,
  encodeBlocks,
  encodeCredit,
  encodeError,
  encodeGet,
} from '../../../src/mesh/transfer/messages.ts';
import { chance, FUZZ_SEED, pieces, spoil } from '../../support/fuzz.ts';
import { settle } from '../../support/manual-clock.ts';
import { mcpEnd, request } from '../../support/mcp-end.ts';

const FRAMES = 9_000;
/** most streams end after a few; the rest go on with more */
const FRAMES_PER_STREAM = 12;
const seed = `seed ${String(FUZZ_SEED)}`;

const unhandled: unknown[] = [];
const note = (reason: unknown) => unhandled.push(reason);
beforeAll(() => process.on('unhandledRejection', note));
afterAll(() => {
  process.off('unhandledRejection', note);
});

/** What an honest caller would send, and some of what a confused one would. */
const MESSAGES: readonly unknown[] = [
  request(1, 'ping'),
  request(2, 'tools/list'),
  request(3, 'tools/call', { name: 'echo', arguments: { text: 'Größe 🐦' } }),
  request('x', 'tools/call', { name: 'nothing', arguments: null }),
  { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18' } },
  { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 3 } },
  { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 1, progress: {} } },
  { jsonrpc: '2.0', id: 1, result: { content: [] } },
  { jsonrpc: '2.0', id: null, error: { code: 1, message: 'a last word' } },
  { type: 'request', id: 9, method: 'ping', params: null, sender: {} },
  { type: 'response', id: 9, error: { not: 'text' } },
  { jsonrpc: '2.0', id: 4, method: '__proto__', params: { constructor: { prototype: 1 } } },
];

describe('whatever comes over a stream', () => {
  it(`leaves a peer standing, with its memory bounded, and ends the stream with a word (${FRAMES} frames, ${seed})`, async () => {
    const by = chance('frames');
    let sent = 0;
    let ended = 0;
    let answered = 0;
    while (sent < FRAMES) {
      const { raw, end, tools } = mcpEnd();
      for (let i = 0; i < FRAMES_PER_STREAM && !end.session.closed; i++, sent++) {
        const frame = spoil(by, encodeFrame(JSON.stringify(by.oneOf(MESSAGES))));
        let given = 0;
        for (const piece of pieces(by, frame, by.oneOf([1, 7, 100, 1_000]))) {
          raw.sayBytes(piece);
          given += piece.byteLength;
        }
        await settle();
        // buffers double from 64 KiB; nothing is held for what is only declared
        expect(end.budget.bufferedBytes, seed).toBeLessThanOrEqual(2 * given + 2 * 64 * 1024);
      }
      await settle();
      answered += tools.calls.length;
      if (end.session.closed) {
        ended++;
        const last = JSON.stringify(raw.heard.at(-1));
        expect(PROTOCOL_TOKENS, `${seed}: ${last}`).toContain(/"token":"(\w+)"/.exec(last)?.[1]);
      }
      expect(end.session.serving, seed).toBe(0);
      end.framed.abort(new Error('the next one'));
      raw.wire.stream.abort(new Error('the next one'));
      await settle();
      expect(end.session.closed, seed).toBe(true);
      expect(end.budget.bufferedBytes, seed).toBe(0);
    }
    // both happen, or the input tries nothing
    expect(ended, seed).toBeGreaterThan(FRAMES / FRAMES_PER_STREAM / 4);
    expect(answered, seed).toBeGreaterThan(50);
    expect(unhandled, seed).toEqual([]);
  });
});

const bytes = (length: number) => new Uint8Array(length).fill(length);
const join = (parts: readonly Uint8Array[]) => Buffer.concat(parts);

describe('whatever a message holds', () => {
  it.each<[string, (message: Uint8Array) => unknown, readonly Uint8Array[]]>([
    ['hello', decodeHello, [encodeJoin({ type: 'hello', minVersion: 1, maxVersion: 1, epoch: 1, nonce: bytes(32) })]],
    ['proof', decodeProof, [encodeJoin({ type: 'proof', mac: bytes(32) })]],
    [
      'identity',
      decodeIdentity,
      [encodeJoin({ type: 'identity', certificate: bytes(200), kind: 'tab', protocols: ['/a/1', '/b/2'] })],
    ],
    ['epoch request', decodeEpochRequest, [encodeEpochRequest(bytes(200))]],
    ['epoch grant', decodeGrant, [encodeGrant({ roster: bytes(300), secret: bytes(32) }), encodeRefusal()]],
    ['transfer question', decodeAsk, [join(encodeGet('bafy' as never, 3, 9)), join(encodeCredit(7))]],
    [
      'transfer answer',
      decodeAnswer,
      [join(encodeBlocks([bytes(9), bytes(80)])), join(encodeError(new TabmeshError('not_found', 'none').toWire()))],
    ],
  ])(`reading a spoiled %s gives a message or a refusal (2,000 each, ${seed})`, (name, decode, honest) => {
    const by = chance(name);
    let refused = 0;
    for (let i = 0; i < 2_000; i++) {
      try {
        decode(spoil(by, by.oneOf(honest)));
      } catch (error) {
        expect(error, seed).toBeInstanceOf(TabmeshError);
        expect(['protocol_error', 'not_a_member'], seed).toContain((error as TabmeshError).code);
        refused++;
      }
    }
    expect(refused, seed).toBeGreaterThan(200);
  });
});
