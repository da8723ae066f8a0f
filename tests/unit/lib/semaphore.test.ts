import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mapBounded } from '../../../src/lib/semaphore.ts';

/** Tasks that wait until they are let go. */
function gates() {
  const waiting: { readonly release: () => void; readonly fail: (error: Error) => void }[] = [];
  return {
    waiting,
    wait: () =>
      new Promise<void>((resolve, reject) => {
        waiting.push({ release: resolve, fail: reject });
      }),
  };
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('mapBounded', () => {
  it('gives the answers in the order of the items and never exceeds the limit', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 3 })), fc.integer({ min: 1, max: 6 }), async (turns, limit) => {
        let running = 0;
        let most = 0;
        const answers = await mapBounded(turns, limit, async (turn, index) => {
          most = Math.max(most, ++running);
          for (let n = 0; n <= turn; n++) await Promise.resolve();
          running -= 1;
          return [index, turn];
        });
        expect(answers).toEqual(turns.map((turn, index) => [index, turn]));
        expect(most).toBeLessThanOrEqual(limit);
        expect(most).toBe(Math.min(limit, turns.length));
      }),
    );
  });

  it('takes items only when there is room for them', async () => {
    const { waiting, wait } = gates();
    let taken = 0;
    function* items() {
      for (;;) yield ++taken;
    }
    const stop = new AbortController();
    const work = mapBounded(items(), 2, wait, stop.signal);
    await settle();
    expect(taken).toBe(2);
    waiting[0]?.release();
    await settle();
    expect(taken).toBe(3);
    stop.abort(new Error('enough'));
    for (const { release } of waiting) release();
    await expect(work).rejects.toThrow('enough');
    expect(taken).toBeLessThanOrEqual(4);
  });

  it('starts no more after a failure, tells the others, and waits for them', async () => {
    const { waiting, wait } = gates();
    const signals: AbortSignal[] = [];
    const order: string[] = [];
    const work = mapBounded([0, 1, 2, 3], 2, async (item, _, signal) => {
      signals.push(signal);
      await wait();
      order.push(`ended ${item}`);
    }).catch((error: unknown) => order.push(`rejected: ${String(error)}`));
    await settle();
    waiting[0]?.fail(new Error('first'));
    await settle();
    expect(signals[1]?.aborted).toBe(true);
    expect(order).toEqual([]);
    waiting[1]?.release();
    await work;
    expect(order).toEqual(['ended 1', 'rejected: Error: first']);
    expect(signals).toHaveLength(2);
  });

  it('does nothing when it was aborted before', async () => {
    let calls = 0;
    const count = () => Promise.resolve(++calls);
    await expect(mapBounded([1], 1, count, AbortSignal.abort(new Error('no')))).rejects.toThrow('no');
    expect(calls).toBe(0);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses a limit of %s', async (limit) => {
    await expect(mapBounded([1], limit, () => Promise.resolve())).rejects.toThrow(RangeError);
  });
});
