import { describe, expect, it } from 'vitest';
import { LatencyHistory, MAX_PEERS, MAX_SAMPLES, SAMPLE_INTERVAL_MS } from '../../../src/app/state/latency-history.ts';
import { sparkPaths } from '../../../src/app/ui/sparkline.ts';
import { fakePeerId, fakePeers } from '../../support/fake-data.ts';

describe('the history of round trips', () => {
  const [self, other] = fakePeers(2, false, []);
  if (self === undefined || other === undefined) throw new Error('no peers');

  it('takes a sample of the others, not more often than they are measured', () => {
    const history = new LatencyHistory();
    history.record([self, { ...other, latencyMs: 10 }], 1_000);
    history.record([self, { ...other, latencyMs: 20 }], 1_000 + SAMPLE_INTERVAL_MS - 1);
    history.record([self, { ...other, latencyMs: null }], 1_000 + SAMPLE_INTERVAL_MS);
    expect(history.of(self.peer)).toEqual([]);
    expect(history.of(other.peer)).toEqual([
      { at: 1_000, latencyMs: 10 },
      { at: 1_000 + SAMPLE_INTERVAL_MS, latencyMs: null },
    ]);
  });

  it('keeps the newest samples only', () => {
    const history = new LatencyHistory();
    for (let n = 0; n < MAX_SAMPLES + 3; n += 1) history.record([{ ...other, latencyMs: n }], n * SAMPLE_INTERVAL_MS);
    const samples = history.of(other.peer);
    expect(samples).toHaveLength(MAX_SAMPLES);
    expect(samples[0]?.latencyMs).toBe(3);
    expect(samples.at(-1)?.latencyMs).toBe(MAX_SAMPLES + 2);
  });

  it('forgets the peers that went first when there are too many', () => {
    const history = new LatencyHistory();
    history.record([other], 0);
    const crowd = Array.from({ length: MAX_PEERS }, (_, n) => ({ ...other, peer: fakePeerId(10 + n) }));
    history.record(crowd, SAMPLE_INTERVAL_MS);
    expect(history.of(other.peer)).toEqual([]);
    expect(crowd.every(({ peer }) => history.of(peer).length === 1)).toBe(true);
  });
});

describe('a sparkline', () => {
  it('goes from zero at the bottom to the greatest value at the top', () => {
    const points = [0, 5, 10].map((value, n) => ({ at: n * 100, value }));
    expect(sparkPaths(points, 200, 40)).toEqual({ line: 'M0 40L100 20L200 0', last: { x: 200, y: 0 } });
  });

  it('has gaps where nothing was measured, and a dot at the newest value', () => {
    const points = [1, null, 1, 1, null].map((value, n) => ({ at: n * 10, value }));
    expect(sparkPaths(points, 40, 10)).toEqual({ line: 'M0 0M20 0L30 0', last: { x: 30, y: 0 } });
    expect(sparkPaths([], 40, 10)).toEqual({ line: '', last: null });
    expect(sparkPaths([{ at: 5, value: 7 }], 40, 10).last).toEqual({ x: 40, y: 0 });
  });
});
