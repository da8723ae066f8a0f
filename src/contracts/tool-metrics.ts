import type { PeerId } from '../lib/ids.ts';

/** Where a call ran: on a peer, on a relay, or nowhere that is known. */
export type RanOn = 'mesh' | 'relay' | 'unknown';

/** One run of a tool, as it is booked: where it ran, whatever had been planned. */
export interface CallSample {
  readonly tool: string;
  readonly runtime: RanOn;
  /** null when it ran nowhere */
  readonly place: PeerId | null;
  readonly ms: number;
  readonly ok: boolean;
}

/** Takes samples. Called for every call, so it must cost next to nothing. */
export interface CallBook {
  book(sample: CallSample): void;
}

/** Latency and errors of a runtime, a tool or a place; ms, to two decimals. */
export interface LatencySummary {
  readonly requestCount: number;
  readonly errorCount: number;
  readonly totalMs: number;
  /** 0 before the first */
  readonly minMs: number;
  readonly maxMs: number;
  /** of all there ever were, not of the window */
  readonly avgMs: number;
  /** of the window, as the other percentiles */
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

/** The two runtimes side by side. */
export interface RuntimeStats {
  readonly totalRequests: number;
  readonly totalErrors: number;
  /** percent */
  readonly errorRate: number;
  /** only runtimes that had calls */
  readonly byRuntime: Readonly<
    Record<string, { readonly requests: number; readonly percentage: number; readonly avgLatencyMs: number }>
  >;
  /** by how many percent `mesh` is faster than `relay`; null until both have ten calls */
  readonly latencyImprovement: number | null;
}

/** All that was counted of the calls that one peer made, or served. */
export interface CallMetrics {
  readonly byRuntime: Readonly<Record<RanOn, LatencySummary>>;
  readonly stats: RuntimeStats;
  readonly byTool: Readonly<Record<string, LatencySummary>>;
  readonly byPlace: Readonly<Record<string, LatencySummary>>;
}

export type HealthStatus = 'healthy' | 'warning' | 'critical' | 'unknown';

export interface HealthResult {
  readonly component: string;
  readonly status: HealthStatus;
  readonly message: string;
  /** ms since the epoch */
  readonly at: number;
  readonly details: Readonly<Record<string, unknown>>;
  readonly tookMs: number;
}
