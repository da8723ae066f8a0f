import type { OnBootstrap } from '../contracts/bootstrap.ts';
import type { OnDiscovery } from '../contracts/discovery.ts';
import type { Clock } from '../lib/clock.ts';

/** Durations that the average is taken over: the recent ones, not those of this morning. */
const MAX_DURATIONS = 100;

/** What was counted of one kind of operation. Rates are percent, durations ms, both to two decimals. */
export interface OperationCounts {
  readonly total: number;
  readonly successful: number;
  readonly failed: number;
  /** 0 before the first */
  readonly successRate: number;
  readonly averageDurationMs: number;
  /** ms since the epoch; null before the first */
  readonly last: number | null;
}

export interface PeerMetricsSnapshot {
  /** `bySource`: peers found, of successful looks only */
  readonly discovery: OperationCounts & { readonly bySource: Readonly<Record<string, number>> };
  /** `byMethod`: attempts */
  readonly bootstrap: OperationCounts & { readonly byMethod: Readonly<Record<string, number>> };
}

/** Counts how peers were looked for and how the network was reached. */
export class PeerMetrics {
  readonly #discovery: Tally;
  readonly #bootstrap: Tally;

  constructor(clock: Clock) {
    this.#discovery = new Tally(clock);
    this.#bootstrap = new Tally(clock);
  }

  readonly trackDiscovery: OnDiscovery = (source, peersFound, success, durationMs) => {
    this.#discovery.count(source, success ? peersFound : 0, success, durationMs);
  };

  readonly trackBootstrap: OnBootstrap = (method, success, durationMs) => {
    this.#bootstrap.count(method, 1, success, durationMs);
  };

  snapshot(): PeerMetricsSnapshot {
    return {
      discovery: { ...this.#discovery.counts(), bySource: this.#discovery.byLabel() },
      bootstrap: { ...this.#bootstrap.counts(), byMethod: this.#bootstrap.byLabel() },
    };
  }
}

class Tally {
  readonly #clock: Clock;
  readonly #labels = new Map<string, number>();
  readonly #durations: number[] = [];
  #successful = 0;
  #failed = 0;
  #last: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  count(label: string, amount: number, success: boolean, durationMs: number): void {
    this.#labels.set(label, (this.#labels.get(label) ?? 0) + amount);
    if (success) this.#successful++;
    else this.#failed++;
    this.#durations.push(durationMs);
    if (this.#durations.length > MAX_DURATIONS) this.#durations.shift();
    this.#last = this.#clock.now();
  }

  byLabel(): Record<string, number> {
    return Object.fromEntries(this.#labels);
  }

  counts(): OperationCounts {
    const total = this.#successful + this.#failed;
    const sum = this.#durations.reduce((a, b) => a + b, 0);
    return {
      total,
      successful: this.#successful,
      failed: this.#failed,
      successRate: total === 0 ? 0 : rounded((100 * this.#successful) / total),
      averageDurationMs: this.#durations.length === 0 ? 0 : rounded(sum / this.#durations.length),
      last: this.#last,
    };
  }
}

const rounded = (value: number): number => Math.round(value * 100) / 100;
