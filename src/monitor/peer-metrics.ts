import type { BootstrapMethod, OnBootstrap } from '../contracts/bootstrap.ts';
import type { OnDiscovery, PeerSource } from '../contracts/discovery.ts';
import type { CountsOf, NetworkTry, OperationCounts, PeerFinding } from '../contracts/peer-finding.ts';
import type { Clock } from '../lib/clock.ts';

/** Durations that the average is taken over: the recent ones, not those of this morning. */
const MAX_DURATIONS = 100;
/** Tries that are told one by one: some minutes of a relay that is away. */
const MAX_TRIES = 50;

/** The two sums of {@link PeerFinding}. */
export type PeerMetricsSnapshot = Pick<PeerFinding, 'discovery' | 'bootstrap'>;

/** Counts how peers were looked for and how the network was reached. */
export class PeerMetrics {
  readonly #clock: Clock;
  readonly #discovery: Tally;
  readonly #sources: TallyByName<PeerSource>;
  readonly #bootstrap: Tally;
  readonly #methods: TallyByName<BootstrapMethod>;
  #tries: readonly NetworkTry[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#discovery = new Tally(clock);
    this.#sources = new TallyByName(clock);
    this.#bootstrap = new Tally(clock);
    this.#methods = new TallyByName(clock);
  }

  readonly trackDiscovery: OnDiscovery = (source, peersFound, success, durationMs, error = null) => {
    const outcome: Outcome = { success, durationMs, trouble: success ? null : (error ?? 'it failed') };
    const found = success ? peersFound : 0;
    this.#discovery.count(outcome, found);
    this.#sources.of(source).count(outcome, found);
  };

  readonly trackBootstrap: OnBootstrap = (method, success, durationMs, attempt) => {
    const trouble = success ? null : (attempt?.error ?? 'it failed');
    this.#bootstrap.count({ success, durationMs, trouble }, 1);
    this.#methods.of(method).count({ success, durationMs, trouble }, 1);
    const tried: NetworkTry = {
      endedAt: this.#clock.now(),
      method,
      target: attempt?.target ?? '',
      durationMs,
      error: trouble,
    };
    this.#tries = [tried, ...this.#tries].slice(0, MAX_TRIES);
  };

  /** Sums over all sources and methods, with what the dashboard lists of each. */
  snapshot(): PeerMetricsSnapshot {
    return {
      discovery: { ...this.#discovery.counts(), bySource: this.#sources.amounts() },
      bootstrap: { ...this.#bootstrap.counts(), byMethod: this.#methods.amounts() },
    };
  }

  /** Each source and method by itself, and the last tries. */
  details(): Pick<PeerFinding, 'sources' | 'methods' | 'tries'> {
    return {
      sources: this.#sources.each((counts, found) => ({ ...counts, found })),
      methods: this.#methods.each((counts) => counts),
      tries: this.#tries,
    };
  }
}

interface Outcome {
  readonly success: boolean;
  readonly durationMs: number;
  readonly trouble: string | null;
}

class Tally {
  readonly #clock: Clock;
  readonly #durations: number[] = [];
  #successful = 0;
  #failed = 0;
  #amount = 0;
  #last: number | null = null;
  #trouble: string | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  count({ success, durationMs, trouble }: Outcome, amount: number): void {
    if (success) this.#successful++;
    else this.#failed++;
    this.#amount += amount;
    this.#durations.push(durationMs);
    if (this.#durations.length > MAX_DURATIONS) this.#durations.shift();
    this.#last = this.#clock.now();
    this.#trouble = trouble;
  }

  get amount(): number {
    return this.#amount;
  }

  get trouble(): string | null {
    return this.#trouble;
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

class TallyByName<Name extends string> {
  readonly #clock: Clock;
  readonly #tallies = new Map<Name, Tally>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  of(name: Name): Tally {
    const known = this.#tallies.get(name);
    if (known !== undefined) return known;
    const made = new Tally(this.#clock);
    this.#tallies.set(name, made);
    return made;
  }

  amounts(): Record<string, number> {
    return Object.fromEntries([...this.#tallies].map(([name, { amount }]) => [name, amount]));
  }

  each<T>(show: (counts: CountsOf<Name>, amount: number) => T): readonly T[] {
    return [...this.#tallies].map(([name, tally]) =>
      show({ name, ...tally.counts(), trouble: tally.trouble }, tally.amount),
    );
  }
}

const rounded = (value: number): number => Math.round(value * 100) / 100;
