import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunState, StepState } from '../../../src/contracts/workflow.ts';
import type { RunId, StepId } from '../../../src/lib/ids.ts';
import { spokenProgress } from '../../../src/app/research/announce.ts';
import { RATE_WINDOW_MS, RateMeter, remainingMs } from '../../../src/app/research/rate.ts';
import { RunProgress } from '../../../src/app/research/run-progress.ts';

const search = 'search' as StepId;
const fetch = 'fetch' as StepId;
const store = 'store' as StepId;

function run(steps: Record<StepId, StepState>): RunState {
  const step = (id: StepId, name: string) => ({ id, name, action: 'a', inputs: {}, dependsOn: [], timeoutMs: 1 });
  return {
    runId: 'r' as RunId,
    definition: {
      id: 'collect_literature',
      version: '1',
      name: 'Collect literature',
      inputSchema: {},
      steps: [step(search, 'Search PubMed'), step(fetch, 'Fetch records'), step(store, 'Store')],
      output: null,
    },
    inputs: { query: 'sleep', max_results: 10 },
    createdAt: 0,
    steps,
    status: 'running',
    startedAt: 0,
  };
}

function fetching(done: number, total: number | null): RunState {
  return run({
    [search]: { status: 'completed', startedAt: 0, endedAt: 500, result: null },
    [fetch]: { status: 'running', startedAt: 500, progress: { done, total, message: 'Fetching' } },
    [store]: { status: 'pending' },
  });
}

describe('RunProgress', () => {
  it('tells what it does now, how far, how fast and how long still', () => {
    const progress = new RunProgress();
    progress.view(fetching(200, 1000), 2500);
    const view = progress.view(fetching(400, 1000), 4500);
    expect(view.current).toMatchObject({ ordinal: 2, name: 'Fetch records', done: 400, total: 1000, fraction: 0.4 });
    expect(view.perSecond).toBeCloseTo(100);
    expect(view.remainingMs).toBeCloseTo(6000);
    expect(view.elapsedMs).toBe(4500);
    expect(view.steps.map((step) => step.status)).toEqual(['completed', 'running', 'pending']);
  });

  it('knows the average at once when the view comes back', () => {
    expect(new RunProgress().view(fetching(400, 1000), 4500).perSecond).toBeCloseTo(100);
  });

  it('invents no fraction or time where the total is unknown', () => {
    const view = new RunProgress().view(fetching(400, null), 4500);
    expect(view.current?.fraction).toBeNull();
    expect(view.remainingMs).toBeNull();
  });

  it('has no current step before the first event', () => {
    expect(new RunProgress().view(run({}), 10).current).toBeNull();
  });

  it('is spoken once a quarter', () => {
    const spoken = [0, 100, 240, 250, 260, 499, 500, 1000].map((done) =>
      spokenProgress(new RunProgress().view(fetching(done, 1000), 4500)),
    );
    expect([...new Set(spoken)]).toEqual([
      'Step 2 of 3: Fetch records',
      'Step 2 of 3: Fetch records, 25 percent',
      'Step 2 of 3: Fetch records, 50 percent',
      'Step 2 of 3: Fetch records, 100 percent',
    ]);
  });
});

describe('RateMeter', () => {
  it('follows the recent pace, not the average', () => {
    const meter = new RateMeter(0);
    meter.add(100_000, 100);
    for (let at = 101_000; at <= 130_000; at += 1_000) meter.add(at, 100 + (at - 100_000) / 10);
    expect(meter.perSecond(130_000)).toBeCloseTo(100, 0);
  });

  it('falls while nothing comes', () => {
    const meter = new RateMeter(0);
    meter.add(10_000, 100);
    expect(meter.perSecond(10_000)).toBeCloseTo(10);
    expect(meter.perSecond(10_000 + RATE_WINDOW_MS)).toBeLessThan(4);
  });

  it('is null or a positive finite number, whatever is reported', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(1e6), fc.nat(1e6))), fc.nat(2e6), (reports, now) => {
        const meter = new RateMeter(0);
        for (const [at, done] of reports) meter.add(at, done);
        const rate = meter.perSecond(now);
        expect(rate === null || (Number.isFinite(rate) && rate > 0)).toBe(true);
      }),
    );
  });

  it('gives no remaining time without a rate, and never a negative one', () => {
    expect(remainingMs(1, 10, null)).toBeNull();
    expect(remainingMs(1, null, 1)).toBeNull();
    expect(remainingMs(11, 10, 1)).toBe(0);
  });
});
