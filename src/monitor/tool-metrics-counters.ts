import type { Clock } from '../lib/clock.ts';

/** Values of a histogram that are kept (`spec/5` §7.1). */
const HISTOGRAM_VALUES = 1000;
/** Names with labels that are told apart; more come from a label that should be none. */
const MAX_NAMES = 1000;
const RETENTION_MS = 24 * 60 * 60 * 1000;

export type Labels = Readonly<Record<string, string>>;

export interface CountersOptions {
  readonly clock: Clock;
  /** false: nothing is recorded */
  readonly enabled?: boolean;
  readonly retentionMs?: number;
}

interface Timed {
  readonly value: number;
  readonly at: number;
}

/** Counters, gauges and histograms by name; each with labels counts for itself and for the name alone. */
export class Counters {
  readonly #options: Required<CountersOptions>;
  readonly #counters = new Map<string, Timed>();
  readonly #gauges = new Map<string, Timed>();
  readonly #histograms = new Map<string, Timed[]>();

  constructor({ clock, enabled = true, retentionMs = RETENTION_MS }: CountersOptions) {
    this.#options = { clock, enabled, retentionMs };
  }

  count(name: string, labels: Labels = {}, by = 1): void {
    for (const key of this.#keys(name, labels)) {
      this.#put(this.#counters, key, { value: (this.#counters.get(key)?.value ?? 0) + by, at: this.#now() });
    }
  }

  gauge(name: string, value: number, labels: Labels = {}): void {
    for (const key of this.#keys(name, labels)) this.#put(this.#gauges, key, { value, at: this.#now() });
  }

  observe(name: string, value: number, labels: Labels = {}): void {
    for (const key of this.#keys(name, labels)) {
      const values = this.#histograms.get(key) ?? [];
      values.push({ value, at: this.#now() });
      if (values.length > HISTOGRAM_VALUES) values.shift();
      this.#put(this.#histograms, key, values);
    }
  }

  counter(name: string, labels: Labels = {}): number {
    return this.#counters.get(keyOf(name, labels))?.value ?? 0;
  }

  /** null before it was set */
  gaugeValue(name: string, labels: Labels = {}): number | null {
    return this.#gauges.get(keyOf(name, labels))?.value ?? null;
  }

  /** the latest values, oldest first */
  histogram(name: string, labels: Labels = {}): readonly number[] {
    return (this.#histograms.get(keyOf(name, labels)) ?? []).map(({ value }) => value);
  }

  /** The quantile of a histogram's values, between two of them by their distance (`spec/5` §7.1); 0 for fewer than two. */
  quantile(name: string, quantile: number, labels: Labels = {}): number {
    const sorted = [...this.histogram(name, labels)].sort((a, b) => a - b);
    if (sorted.length < 2) return 0;
    const at = (sorted.length - 1) * quantile;
    const [low, high] = [sorted[Math.floor(at)] ?? 0, sorted[Math.ceil(at)] ?? 0];
    return low + (high - low) * (at - Math.floor(at));
  }

  /** The counts of a name by the values of its only label. */
  byLabel(name: string): Readonly<Record<string, number>> {
    const found: Record<string, number> = {};
    for (const [key, { value }] of this.#counters) {
      const [base, label, more] = key.split(' ');
      if (base === name && label !== undefined && more === undefined)
        found[label.slice(label.indexOf('=') + 1)] = value;
    }
    return found;
  }

  /** Forgets what is older than the retention. */
  cleanUp(): void {
    const before = this.#now() - this.#options.retentionMs;
    for (const values of [this.#counters, this.#gauges]) {
      for (const [key, { at }] of values) if (at < before) values.delete(key);
    }
    for (const [key, values] of this.#histograms) {
      const kept = values.filter(({ at }) => at >= before);
      if (kept.length === 0) this.#histograms.delete(key);
      else this.#histograms.set(key, kept);
    }
  }

  #now(): number {
    return this.#options.clock.now();
  }

  #keys(name: string, labels: Labels): readonly string[] {
    if (!this.#options.enabled) return [];
    const key = keyOf(name, labels);
    return key === name ? [name] : [name, key];
  }

  #put<T>(values: Map<string, T>, key: string, value: T): void {
    if (values.size < MAX_NAMES || values.has(key)) values.set(key, value);
  }
}

function keyOf(name: string, labels: Labels): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return [name, ...sorted.map(([label, value]) => `${label}=${value.replaceAll(' ', '_')}`)].join(' ');
}
