import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';
import { LatencyStats } from '../../../src/monitor/tool-metrics-window.ts';
import { ToolMetrics } from '../../../src/monitor/tool-metrics.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { peerId } from '../../support/room.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

function stats(...samples: readonly number[]): LatencyStats {
  const made = new LatencyStats();
  for (const ms of samples) made.record(ms, true, 0);
  return made;
}

const upTo = (n: number, from = 1) => Array.from({ length: n }, (_, i) => i + from);

describe('the latency of one runtime', () => {
  it('RR1: begins with zeros, a minimum of +∞ and an empty window', () => {
    const { requestCount, errorCount, totalMs, minMs, maxMs, window } = stats();
    expect({ requestCount, errorCount, totalMs, minMs, maxMs, window }).toEqual({
      requestCount: 0,
      errorCount: 0,
      totalMs: 0,
      minMs: Infinity,
      maxMs: 0,
      window: [],
    });
  });

  it('RR2: a success counts in number, total, minimum, maximum and window', () => {
    expect(stats(100)).toMatchObject({ requestCount: 1, errorCount: 0, totalMs: 100, minMs: 100, maxMs: 100 });
    expect(stats(100).window).toEqual([100]);
  });

  it('RR3: an error counts as a request and as an error', () => {
    const made = stats();
    made.record(5, false, 0);
    expect(made).toMatchObject({ requestCount: 1, errorCount: 1 });
  });

  it('RR4: 50, 100 and 150 give minimum 50, maximum 150, average 100', () => {
    expect(stats(50, 100, 150)).toMatchObject({ minMs: 50, maxMs: 150, avgMs: 100 });
  });

  it('RR5: the average of nothing is 0', () => {
    expect(stats().avgMs).toBe(0);
  });

  it('RR6, RR7: the percentiles of 1 to 100', () => {
    const made = stats(...upTo(100));
    expect(made.percentile(0.95)).toBeGreaterThanOrEqual(94);
    expect(made.percentile(0.95)).toBeLessThanOrEqual(96);
    expect(made.percentile(0.99)).toBeGreaterThanOrEqual(98);
    expect(made.percentile(0.99)).toBeLessThanOrEqual(100);
  });

  it('RR8: of 1,500 samples the window keeps the last 1,000', () => {
    const { window, requestCount } = stats(...upTo(1500, 0));
    expect(window).toHaveLength(1000);
    expect(Math.min(...window)).toBe(500);
    expect(requestCount).toBe(1500);
  });

  it('RR9: the form for the wire has all of it, to two decimals, and 0 for the minimum of nothing', () => {
    expect(stats().summary()).toEqual({
      requestCount: 0,
      errorCount: 0,
      totalMs: 0,
      minMs: 0,
      maxMs: 0,
      avgMs: 0,
      p50Ms: 0,
      p95Ms: 0,
      p99Ms: 0,
    });
    expect(stats(1.2345, 2).summary()).toMatchObject({ totalMs: 3.23, minMs: 1.23, avgMs: 1.62, p95Ms: 2 });
  });

  it('averages over all there ever were, not over the window', () => {
    expect(stats(...Array.from({ length: 1000 }, () => 0), ...Array.from({ length: 1000 }, () => 10)).avgMs).toBe(5);
  });
});

describe('the metrics of all calls', () => {
  const made = () => new ToolMetrics({ clock: systemClock });
  const book = (metrics: ToolMetrics, runtime: 'mesh' | 'relay' | 'unknown', ms = 1, ok = true, tool = 'sample') => {
    metrics.book({ tool, runtime, place: peerId('a'), ms, ok });
  };

  it('RR40, RR54: begin with zeros under every key', () => {
    const metrics = made();
    expect(Object.values(metrics.getMetrics()).map(({ requestCount }) => requestCount)).toEqual([0, 0, 0]);
    expect(metrics.getRuntimeStats()).toEqual({
      totalRequests: 0,
      totalErrors: 0,
      errorRate: 0,
      byRuntime: {},
      latencyImprovement: null,
    });
  });

  it('RR41, RR49, RR52, RR53: stats aggregate; errors are a percentage; runtimes without calls are left out', () => {
    const metrics = made();
    book(metrics, 'relay', 10);
    book(metrics, 'relay', 20, false);
    book(metrics, 'mesh', 4);
    expect(metrics.getRuntimeStats()).toEqual({
      totalRequests: 3,
      totalErrors: 1,
      errorRate: 33.33,
      byRuntime: {
        relay: { requests: 2, percentage: 66.67, avgLatencyMs: 15 },
        mesh: { requests: 1, percentage: 33.33, avgLatencyMs: 4 },
      },
      latencyImprovement: null,
    });
    const half = made();
    book(half, 'mesh');
    book(half, 'mesh', 1, false);
    expect(half.getRuntimeStats().errorRate).toBe(50);
  });

  it('RR42: start again after a reset', () => {
    const metrics = made();
    book(metrics, 'mesh');
    metrics.reset();
    expect(metrics.getRuntimeStats().totalRequests).toBe(0);
    expect(metrics.all().byTool).toEqual({});
    book(metrics, 'mesh');
    expect(metrics.getMetrics().mesh.requestCount).toBe(1);
  });

  it('RR63: ten calls on each give an average each, and by how much the mesh is faster', () => {
    const metrics = made();
    for (let i = 0; i < 9; i++) {
      book(metrics, 'mesh', 5);
      book(metrics, 'relay', 20);
    }
    expect(metrics.getRuntimeStats().latencyImprovement).toBeNull();
    book(metrics, 'mesh', 5);
    book(metrics, 'relay', 20);
    const { mesh, relay } = metrics.getMetrics();
    expect([mesh.avgMs, relay.avgMs]).toEqual([5, 20]);
    expect(metrics.getRuntimeStats().latencyImprovement).toBe(75);
  });

  it('MO17, MO21: count success and failure of each tool; 8 of 10 is a rate of 0.8', () => {
    const metrics = made();
    for (let i = 0; i < 10; i++) book(metrics, 'mesh', 1, i >= 2);
    const of = metrics.ofTool('sample');
    expect(of).toMatchObject({ requestCount: 10, errorCount: 2 });
    expect(1 - (of?.errorCount ?? 0) / (of?.requestCount ?? 1)).toBe(0.8);
    expect(metrics.ofTool('another')).toBeUndefined();
  });

  it('MO20: lose none of those that are booked at once', async () => {
    const metrics = made();
    await Promise.all(
      Array.from({ length: 1000 }, async () => {
        await Promise.resolve();
        book(metrics, 'mesh');
      }),
    );
    expect(metrics.ofTool('sample')?.requestCount).toBe(1000);
  });

  it('MO18: the whole is an object that JSON carries, by runtime, tool and place', () => {
    const metrics = made();
    book(metrics, 'mesh', 2);
    const all = JSON.parse(JSON.stringify(metrics.all())) as ReturnType<ToolMetrics['all']>;
    expect(all).toEqual(metrics.all());
    expect(Object.keys(all.byTool)).toEqual(['sample']);
    expect(all.byPlace['a']?.requestCount).toBe(1);
  });

  it('MO19: can be switched off, and keep for as long as asked', async () => {
    const off = new ToolMetrics({ clock: systemClock, enabled: false });
    book(off, 'mesh');
    expect(off.getRuntimeStats().totalRequests).toBe(0);
    const clock = manualClock();
    const short = new ToolMetrics({ clock, retentionMs: 1000 });
    book(short, 'mesh');
    short.flush();
    await clock.advance(1001);
    short.cleanUp();
    expect(short.all().byTool).toEqual({});
  });

  it('MO23: forget what is older than the retention, and nothing else', async () => {
    const clock = manualClock();
    const metrics = new ToolMetrics({ clock });
    book(metrics, 'mesh', 1, true, 'old');
    metrics.flush();
    await clock.advance(DAY_MS);
    book(metrics, 'mesh', 1, true, 'new');
    metrics.flush();
    await clock.advance(1);
    metrics.cleanUp();
    expect(Object.keys(metrics.all().byTool)).toEqual(['new']);
  });

  it('tell a thousand tools apart, and forget those that were used least lately', () => {
    const metrics = made();
    for (let i = 0; i < 1000; i++) book(metrics, 'mesh', 1, true, `tool_${String(i)}`);
    book(metrics, 'mesh', 1, true, 'tool_0');
    book(metrics, 'mesh', 1, true, 'one_more');
    expect(Object.keys(metrics.all().byTool)).toHaveLength(1000);
    expect(metrics.ofTool('tool_0')?.requestCount).toBe(2);
    expect(metrics.ofTool('tool_1')).toBeUndefined();
  });
});
