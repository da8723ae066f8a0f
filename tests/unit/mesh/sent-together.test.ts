import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sendTogether } from '../../../src/mesh/node/sent-together.ts';

function socket() {
  const sent: Uint8Array[] = [];
  const closed: (number | undefined)[] = [];
  const together = sendTogether({
    send: (data: Uint8Array<ArrayBuffer>) => void sent.push(data),
    close: (code?: number) => void closed.push(code),
  });
  return { sent, closed, together };
}
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('sendTogether', () => {
  it('makes one message of what is sent in one turn', async () => {
    const { sent, together } = socket();
    together.send(Uint8Array.of(1, 2));
    together.send(Uint8Array.of(3));
    expect(sent).toEqual([]);
    await turn();
    together.send(Uint8Array.of(4));
    await turn();
    expect(sent).toEqual([Uint8Array.of(1, 2, 3), Uint8Array.of(4)]);
  });

  it('sends what waits before it closes', () => {
    const { sent, closed, together } = socket();
    together.send(Uint8Array.of(1));
    together.close(1000);
    expect([sent, closed]).toEqual([[Uint8Array.of(1)], [1000]]);
  });

  it('keeps every byte in order, whatever the pieces, in messages of bounded size', async () => {
    const pieces = fc.array(fc.nat({ max: 100_000 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(fc.array(pieces, { maxLength: 4 }), async (turns) => {
        const { sent, together } = socket();
        const all: number[] = [];
        let next = 0;
        for (const sizes of turns) {
          for (const size of sizes) {
            const piece = new Uint8Array(size).fill(next++);
            all.push(size);
            together.send(piece);
          }
          await turn();
        }
        const bytes = Buffer.concat(sent);
        expect(bytes.byteLength).toBe(all.reduce((sum, size) => sum + size, 0));
        let at = 0;
        for (const [i, size] of all.entries()) {
          if (size > 0) expect([bytes[at], bytes[at + size - 1]]).toEqual([i, i]);
          at += size;
        }
        for (const message of sent) expect(message.byteLength).toBeLessThanOrEqual(128 * 1024);
      }),
      { numRuns: 50 },
    );
  });
});
