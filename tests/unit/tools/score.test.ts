import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scorePlace, type ScoreInput } from '../../../src/tools/score.ts';

const state = {
  direct: fc.boolean(),
  latencyMs: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true })),
  visible: fc.boolean(),
  inFlight: fc.nat(1000),
};
const own = (runtime: ScoreInput['runtime']) =>
  fc.record({ ...state, runtime: fc.constant(runtime), self: fc.constant(true), relay: fc.constant(false) });
const remote = (runtime: ScoreInput['runtime'], relay: boolean) =>
  fc.record({ ...state, runtime: fc.constant(runtime), self: fc.constant(false), relay: fc.constant(relay) });

describe('scorePlace', () => {
  it('puts a tab before every other peer for its own work, however busy it is', () => {
    fc.assert(
      fc.property(own('auto'), remote('auto', false), (self, other) => {
        expect(scorePlace(self).score).toBeGreaterThan(scorePlace(other).score);
      }),
    );
  });

  it('puts any tab before any relay for mesh work', () => {
    const relay = fc.oneof(
      remote('mesh', true),
      own('mesh').map((input) => ({ ...input, relay: true })),
    );
    fc.assert(
      fc.property(remote('mesh', false), relay, (tab, other) => {
        expect(scorePlace(tab).score).toBeGreaterThan(scorePlace(other).score);
      }),
    );
  });

  it('falls with latency and with load', () => {
    fc.assert(
      fc.property(remote('auto', false), fc.integer({ min: 1, max: 499 }), (input, latencyMs) => {
        const at = (change: Partial<ScoreInput>) => scorePlace({ ...input, ...change }).score;
        expect(at({ latencyMs })).toBeGreaterThanOrEqual(at({ latencyMs: latencyMs + 1 }));
        expect(at({ latencyMs: 0 })).toBeGreaterThan(at({ latencyMs: 500 }));
        expect(at({ inFlight: 0 })).toBeGreaterThan(at({ inFlight: 1 }));
      }),
    );
  });

  it('is a finite number with a reason for each part', () => {
    fc.assert(
      fc.property(fc.oneof(remote('relay', true), remote('auto', true), own('mesh')), (input) => {
        const { score, reasons } = scorePlace(input);
        expect(Number.isFinite(score)).toBe(true);
        expect(reasons.length).toBeGreaterThan(0);
        expect(reasons).not.toContain('');
      }),
    );
  });
});
