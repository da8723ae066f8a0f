import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameDecoder } from '../../../src/mesh/rpc/frames.ts';

const payloads = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 });

describe('frames of /mcp+p2p', () => {
  it('come out as they went in, however the bytes are cut', () => {
    fc.assert(
      fc.property(payloads, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (sent, cuts) => {
        const stream = Buffer.concat(sent.map((payload) => encodeFrame(payload)));
        const decoder = new FrameDecoder();
        const received: Uint8Array[] = [];
        for (let at = 0, i = 0; at < stream.length; i++) {
          const size = cuts[i % cuts.length] ?? 1;
          received.push(...decoder.push(stream.subarray(at, at + size)));
          at += size;
        }
        expect(received.map((r) => Buffer.from(r).toString('hex'))).toEqual(
          sent.map((s) => Buffer.from(s).toString('hex')),
        );
        expect(decoder.pendingBytes).toBe(0);
      }),
    );
  });

  it('are made of their parts, or of text, as of bytes', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 200 }),
        fc.array(fc.uint8Array({ maxLength: 50 })),
        (text, parts) => {
          const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
          expect(hex(encodeFrame(text))).toBe(hex(encodeFrame(new TextEncoder().encode(text))));
          expect(hex(encodeFrame(parts))).toBe(hex(encodeFrame(Buffer.concat(parts))));
        },
      ),
    );
  });

  it('never occupy more than twice what has arrived of them, whatever is declared and however small the pieces', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1 << 24 }),
        fc.array(fc.integer({ min: 1, max: 5_000 }), { maxLength: 60 }),
        (declared, pieces) => {
          const decoder = new FrameDecoder();
          const header = new Uint8Array(4);
          new DataView(header.buffer).setUint32(0, declared);
          decoder.push(header);
          let arrived = 4;
          for (const size of pieces) {
            if (arrived - 4 + size >= declared) break;
            expect(decoder.push(new Uint8Array(size))).toEqual([]);
            arrived += size;
            expect(decoder.pendingBytes).toBe(arrived);
            expect(decoder.heldBytes).toBeLessThanOrEqual(2 * arrived + 64 * 1024);
          }
        },
      ),
    );
  });

  it('start with the big-endian length', () => {
    expect([...encodeFrame(new Uint8Array([7, 8]))]).toEqual([0, 0, 0, 2, 7, 8]);
  });

  it('are refused by their declared length, before the payload arrives', () => {
    const decoder = new FrameDecoder(100);
    expect(() => decoder.push(new Uint8Array([0, 0, 0, 101]))).toThrow(
      expect.objectContaining({ code: 'payload_too_large' }),
    );
    expect(() => new FrameDecoder().push(new Uint8Array([255, 255, 255, 255]))).toThrow(/4294967295/);
  });

  it('over the limit are not sent', () => {
    expect(() => encodeFrame(new Uint8Array(101), 100)).toThrow(expect.objectContaining({ code: 'payload_too_large' }));
  });
});
