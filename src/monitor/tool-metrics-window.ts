import type { LatencySummary } from '../contracts/tool-metrics.ts';

/** Samples that the percentiles are taken of (`spec/1` §2.3). */
const LATENCY_WINDOW = 1000;

/** Latency and errors of one thing: totals of all time, percentiles of the last {@link LATENCY_WINDOW} samples. */
export class LatencyStats {
  requestCount = 0;
  errorCount = 0;
  totalMs = 0;
  /** +∞ before the first */
  minMs = Infinity;
  maxMs = 0;
  /** ms since the epoch; null before the first */
  lastAt: number | null = null;
  readonly #window: number[] = [];
  readonly #size: number;

  /** @param size samples that the percentiles are taken of */
  constructor(size: number = LATENCY_WINDOW) {
    this.#size = size;
  }

  record(ms: number, ok: boolean, at: number): void {
    // a ring: the oldest is overwritten
    this.#window[this.requestCount % this.#size] = ms;
    this.requestCount++;
    if (!ok) this.errorCount++;
    this.totalMs += ms;
    this.minMs = Math.min(this.minMs, ms);
    this.maxMs = Math.max(this.maxMs, ms);
    this.lastAt = at;
  }

  /** of all time; 0 before the first */
  get avgMs(): number {
    return this.requestCount === 0 ? 0 : this.totalMs / this.requestCount;
  }

  /** the samples of the window, in no order */
  get window(): readonly number[] {
    return this.#window;
  }

  /** The sample at `floor(n · quantile)` of the sorted window; 0 when it is empty. */
  percentile(quantile: number): number {
    const sorted = [...this.#window].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))] ?? 0;
  }

  /** for the wire: two decimals, and 0 for what there is not yet */
  summary(): LatencySummary {
    return {
      requestCount: this.requestCount,
      errorCount: this.errorCount,
      totalMs: rounded(this.totalMs),
      minMs: this.requestCount === 0 ? 0 : rounded(this.minMs),
      maxMs: rounded(this.maxMs),
      avgMs: rounded(this.avgMs),
      p50Ms: rounded(this.percentile(0.5)),
      p95Ms: rounded(this.percentile(0.95)),
      p99Ms: rounded(this.percentile(0.99)),
    };
  }
}

/** To two decimals. */
export const rounded = (value: number): number => Math.round(value * 100) / 100;
