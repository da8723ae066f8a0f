import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scorePlace, scoreReasons, type ScoreInput } from '../../../src/tools/routing/score.ts';

const state = {
  direct: fc.boolean(),
  latencyMs: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true })),
  visible: fc.boolean(),
  inFlight: fc.nat(1000),
  load: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
  battery: fc.option(fc.record({ level: fc.double({ min: 0, max: 1, noNaN: true }), charging: fc.boolean() })),
  cpuIntensive: fc.constant(false),
  memoryIntensive: fc.boolean(),
  ioIntensive: fc.boolean(),
  holdsData: fc.constant(false),
  slowdown: fc.double({ min: 1, max: 100, noNaN: true }),
  full: fc.constant(false),
};
const own = (runtime: ScoreInput['runtime']) =>
  fc.record({ ...state, runtime: fc.constant(runtime), self: fc.constant(true), relay: fc.constant(false) });
const remote = (runtime: ScoreInput['runtime'], relay: boolean) =>
  fc.record({ ...state, runtime: fc.constant(runtime), self: fc.constant(false), relay: fc.constant(relay) });

describe('scorePlace', () => {
  it('puts a tab before every other peer for its own work, however busy it is', () => {
    fc.assert(
      fc.property(own('auto'), remote('auto', false), (self, other) => {
        expect(scorePlace(self)).toBeGreaterThan(scorePlace(other));
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
        expect(scorePlace(tab)).toBeGreaterThan(scorePlace(other));
      }),
    );
  });

  it('falls with latency and with load', () => {
    fc.assert(
      fc.property(remote('auto', false), fc.integer({ min: 1, max: 499 }), (input, latencyMs) => {
        const at = (change: Partial<ScoreInput>) => scorePlace({ ...input, ...change });
        expect(at({ latencyMs })).toBeGreaterThanOrEqual(at({ latencyMs: latencyMs + 1 }));
        expect(at({ latencyMs: 0 })).toBeGreaterThan(at({ latencyMs: 500 }));
        expect(at({ inFlight: 0 })).toBeGreaterThan(at({ inFlight: 1 }));
      }),
    );
  });

  it('is a finite number with a reason for each part', () => {
    fc.assert(
      fc.property(fc.oneof(remote('relay', true), remote('auto', true), own('mesh')), (input) => {
        const reasons = scoreReasons(input);
        expect(Number.isFinite(scorePlace(input))).toBe(true);
        expect(reasons.length).toBeGreaterThan(0);
        expect(reasons).not.toContain('');
      }),
    );
  });
});
