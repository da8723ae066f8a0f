import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReplayWindow } from '../../../src/mesh/rpc/replay-window.ts';

describe('the replay window', () => {
  it('never rejects ids that are new, however full it is', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1_000 }), { maxLength: 200 }), fc.boolean(), (steps, asText) => {
        const window = new ReplayWindow(8);
        let id = 0;
        for (const step of steps) {
          id += step;
          expect(window.admit(asText ? `id-${id}` : id)).toBe(true);
          expect(window.size).toBeLessThanOrEqual(8);
        }
      }),
    );
  });

  it('rejects every number that was here before, however long ago', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 200 }), (steps) => {
        const window = new ReplayWindow(8);
        const seen: number[] = [];
        let id = 0;
        for (const step of steps) {
          id += step;
          seen.push(id);
          window.admit(id);
        }
        for (const old of seen) expect(window.admit(old)).toBe(false);
      }),
    );
  });

  it('takes numbers out of order while it can tell them', () => {
    const window = new ReplayWindow(8);
    expect([5, 3, 4, 3].map((id) => window.admit(id))).toEqual([true, true, true, false]);
    expect(window.admit('3')).toBe(true);
  });
});
