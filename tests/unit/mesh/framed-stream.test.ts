import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frameStream, type FramedStream } from '../../../src/mesh/rpc/framed-stream.ts';
import { settle } from '../../support/manual-clock.ts';
import { streamPair, type PairedStream } from '../../support/stream-pair.ts';

const MIB = 1024 * 1024;

/** Frames both ways: what has come to each end, in order. */
function framedPair(options: Parameters<typeof streamPair>[0] = {}) {
  const end = (wire: PairedStream) => {
    const received: Uint8Array[] = [];
    const ends: (Error | null)[] = [];
    const buffered: number[] = [];
    const framed: FramedStream = frameStream(wire.stream, {
      onFrame: (payload) => received.push(payload),
      onClose: (error) => ends.push(error),
      onBuffered: (change) => buffered.push(change),
    });
    return { wire, framed, received, ends, buffered };
  };
  const [a, b] = streamPair(options);
  return [end(a), end(b)] as const;
}

const hex = (parts: readonly Uint8Array[]) => parts.map((part) => Buffer.from(part).toString('hex'));

describe('a stream of frames', () => {
  it('carries frames both ways at once, in order, however they are cut and interleaved', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.boolean(), fc.uint8Array({ maxLength: 400 })), { maxLength: 40 }),
        fc.integer({ min: 1, max: 97 }),
        fc.integer({ min: 50, max: 1_000 }),
        async (frames, pieceBytes, highWater) => {
          const [a, b] = framedPair({ pieceBytes, highWater });
          await Promise.all(frames.map(([first, payload]) => (first ? a : b).framed.send(payload)));
          await settle();
          const of = (which: boolean) => frames.flatMap(([first, payload]) => (first === which ? [payload] : []));
          expect(hex(b.received)).toEqual(hex(of(true)));
          expect(hex(a.received)).toEqual(hex(of(false)));
          for (const { buffered } of [a, b]) expect(buffered.reduce((sum, change) => sum + change, 0)).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('writes nothing more while the reader does not read, and all of it afterwards', async () => {
    const [a, b] = framedPair({ highWater: 100_000 });
    a.wire.hold();
    const sending = Array.from({ length: 20 }, () => a.framed.send(new Uint8Array(60_000)));
    await settle();
    // what was under way when the stream said stop, and one batch
    expect(a.wire.unread).toBeLessThan(200_000);
    expect(a.framed.queuedBytes).toBeGreaterThan(1_000_000);
    a.wire.release();
    await Promise.all(sending);
    await settle();
    expect(b.received).toHaveLength(20);
  });

  it('has senders wait when the queue is full, instead of growing', async () => {
    const [a, b] = framedPair({ highWater: 1 });
    a.wire.hold();
    const sent: number[] = [];
    const sending = Array.from({ length: 10 }, (_, index) =>
      a.framed.send(new Uint8Array(10 * MIB)).then(() => sent.push(index)),
    );
    await settle();
    expect(a.framed.queuedBytes).toBeLessThanOrEqual(64 * MIB);
    a.wire.release();
    await Promise.all(sending);
    await settle();
    expect(sent).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(b.received).toHaveLength(10);
  });

  it('reads nothing from who does not read its answers', async () => {
    const [a, b] = framedPair({ highWater: 1 });
    a.wire.hold();
    const answers = [a.framed.send(new Uint8Array(9 * MIB)), a.framed.send(new Uint8Array(9 * MIB))];
    const more = a.framed.send(new Uint8Array(9 * MIB));
    await settle();
    const asked = b.framed.send(Uint8Array.of(1));
    await settle();
    expect(a.received).toEqual([]);
    a.wire.release();
    await Promise.all([...answers, more, asked]);
    await settle();
    expect(hex(a.received)).toEqual(['01']);
  });

  it('leaves news out when the reader is slow', async () => {
    const [a, b] = framedPair({ highWater: 1 });
    expect(a.framed.sendNews('1')).toBe(true);
    await settle();
    a.wire.hold();
    const answers = [a.framed.send(new Uint8Array(9)), a.framed.send(new Uint8Array(300_000))];
    await settle();
    expect(a.framed.sendNews('2')).toBe(false);
    a.wire.release();
    await Promise.all(answers);
    await settle();
    expect(b.received.map((payload) => payload.byteLength)).toEqual([1, 9, 300_000]);
  });

  it('fails what waits when it ends, and says whether it may have left', async () => {
    const [a, b] = framedPair({ highWater: 1 });
    a.wire.hold();
    const leaving = a.framed.send(new Uint8Array(70_000));
    await settle();
    const waiting = a.framed.send(new Uint8Array(70_000));
    const noted = Promise.allSettled([leaving, waiting]);
    a.framed.abort(new Error('enough'));
    expect((await noted)[1]).toMatchObject({ reason: { code: 'peer_unreachable', details: { sent: false } } });
    await expect(a.framed.send(new Uint8Array(1))).rejects.toMatchObject({ details: { sent: false } });
    expect([a.ends.length, b.ends.length <= 1]).toEqual([1, true]);
  });

  it('gives back what an unfinished frame occupied when it ends', async () => {
    const [a, b] = framedPair();
    a.wire.stream.send(Uint8Array.of(0, 0, 1, 0, 1, 2, 3));
    await settle();
    expect(b.buffered).toHaveLength(1);
    a.framed.abort(new Error('enough'));
    await settle();
    expect(b.buffered.reduce((sum, change) => sum + change, 0)).toBe(0);
  });
});
