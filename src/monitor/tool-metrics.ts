import type {
  CallBook,
  CallMetrics,
  CallSample,
  LatencySummary,
  RanOn,
  RuntimeStats,
} from '../contracts/tool-metrics.ts';
import type { Clock } from '../lib/clock.ts';
import { LatencyStats, rounded } from './tool-metrics-window.ts';

/** Samples of a tool or a place that its percentiles are taken of (`spec/5` §7.1). */
const DETAIL_WINDOW = 100;
/** Samples that wait before they are counted in: booking is part of every call, counting is not. */
const MAX_PENDING = 256;
/** Tools, or places, that are told apart; what was used least lately goes first. */
const MAX_NAMES = 1000;
/** Calls that both runtimes must have had before they are compared (`spec/1` §2.3). */
const MIN_TO_COMPARE = 10;
/** A day: what was not called since is history (`spec/5` §7.1). */
const RETENTION_MS = 24 * 60 * 60 * 1000;

export interface ToolMetricsOptions {
  readonly clock: Clock;
  /** false: nothing is recorded */
  readonly enabled?: boolean;
  readonly retentionMs?: number;
}

/** Counts calls by the runtime, place and tool where they ran. */
export class ToolMetrics implements CallBook {
  readonly #options: Required<ToolMetricsOptions>;
  readonly #runtimes = { mesh: new LatencyStats(), relay: new LatencyStats(), unknown: new LatencyStats() };
  readonly #tools = new Map<string, LatencyStats>();
  readonly #places = new Map<string, LatencyStats>();
  #pending: CallSample[] = [];

  constructor({ clock, enabled = true, retentionMs = RETENTION_MS }: ToolMetricsOptions) {
    this.#options = { clock, enabled, retentionMs };
  }

  book(sample: CallSample): void {
    if (!this.#options.enabled) return;
    this.#pending.push(sample);
    if (this.#pending.length >= MAX_PENDING) this.flush();
  }

  /** Counts in what was booked. Reading does it by itself; at the end it makes the last counts whole. */
  flush(): void {
    if (this.#pending.length === 0) return;
    const at = this.#options.clock.now();
    const pending = this.#pending;
    this.#pending = [];
    for (const { tool, runtime, place, ms, ok } of pending) {
      this.#runtimes[runtime].record(ms, ok, at);
      entryOf(this.#tools, tool).record(ms, ok, at);
      if (place !== null) entryOf(this.#places, place).record(ms, ok, at);
    }
  }

  /** Forgets tools and places that nobody called within the retention. */
  cleanUp(): void {
    this.flush();
    const before = this.#options.clock.now() - this.#options.retentionMs;
    for (const stats of [this.#tools, this.#places]) {
      for (const [name, { lastAt }] of stats) if (lastAt === null || lastAt < before) stats.delete(name);
    }
  }

  reset(): void {
    this.#pending = [];
    for (const runtime of RUNTIMES) this.#runtimes[runtime] = new LatencyStats();
    this.#tools.clear();
    this.#places.clear();
  }

  getMetrics(): Readonly<Record<RanOn, LatencySummary>> {
    this.flush();
    const { mesh, relay, unknown } = this.#runtimes;
    return { mesh: mesh.summary(), relay: relay.summary(), unknown: unknown.summary() };
  }

  getRuntimeStats(): RuntimeStats {
    this.flush();
    const all = RUNTIMES.map((runtime) => ({ runtime, stats: this.#runtimes[runtime] }));
    const totalRequests = all.reduce((sum, { stats }) => sum + stats.requestCount, 0);
    const totalErrors = all.reduce((sum, { stats }) => sum + stats.errorCount, 0);
    const used = all.filter(({ stats }) => stats.requestCount > 0);
    return {
      totalRequests,
      totalErrors,
      errorRate: totalRequests === 0 ? 0 : rounded((100 * totalErrors) / totalRequests),
      byRuntime: Object.fromEntries(
        used.map(({ runtime, stats }) => [
          runtime,
          {
            requests: stats.requestCount,
            percentage: rounded((100 * stats.requestCount) / totalRequests),
            avgLatencyMs: rounded(stats.avgMs),
          },
        ]),
      ),
      latencyImprovement: this.#improvement(),
    };
  }

  /** what is known of a tool; undefined before its first call */
  ofTool(tool: string): LatencySummary | undefined {
    this.flush();
    return this.#tools.get(tool)?.summary();
  }

  all(): CallMetrics {
    return {
      byRuntime: this.getMetrics(),
      stats: this.getRuntimeStats(),
      byTool: summaries(this.#tools),
      byPlace: summaries(this.#places),
    };
  }

  #improvement(): number | null {
    const { mesh, relay } = this.#runtimes;
    if (mesh.requestCount < MIN_TO_COMPARE || relay.requestCount < MIN_TO_COMPARE || relay.avgMs === 0) return null;
    return Math.round((1000 * (relay.avgMs - mesh.avgMs)) / relay.avgMs) / 10;
  }
}

const RUNTIMES: readonly RanOn[] = ['mesh', 'relay', 'unknown'];

function entryOf(stats: Map<string, LatencyStats>, name: string): LatencyStats {
  const before = stats.get(name);
  const entry = before ?? new LatencyStats(DETAIL_WINDOW);
  // last in order is latest in use
  if (before !== undefined) stats.delete(name);
  stats.set(name, entry);
  const [oldest] = stats.keys();
  if (stats.size > MAX_NAMES && oldest !== undefined) stats.delete(oldest);
  return entry;
}

function summaries(stats: ReadonlyMap<string, LatencyStats>): Record<string, LatencySummary> {
  const names = [...stats.keys()].sort();
  return Object.fromEntries(names.map((name) => [name, (stats.get(name) ?? new LatencyStats()).summary()]));
}
