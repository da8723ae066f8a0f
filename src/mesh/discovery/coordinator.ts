import type {
  Discovered,
  DiscoverRequest,
  OnDiscovery,
  Outcome,
  PeerRank,
  PeerRecord,
  PeerRegistry,
  PeerSource,
  SourceFailure,
} from '../../contracts/discovery.ts';
import type { Clock } from '../../lib/clock.ts';
import { startDeadline } from '../../lib/deadline.ts';
import { toTabmeshError } from '../../lib/errors.ts';
import type { PeerId } from '../../lib/ids.ts';
import { mapBounded } from '../../lib/semaphore.ts';
import type { Copy } from './merge.ts';
import { mergeRecords } from './merge.ts';
import { rankRecords } from './rank.ts';
import { hasCapabilities, isExpired } from './record.ts';
import { RecordBook } from './record-book.ts';

const DEFAULT_MAX_PEERS = 50;
/** All sources there are, so that a slow one keeps nobody waiting. */
const PARALLEL_SOURCES = 8;
/** A source in the net that has not answered by then is left out of this answer. */
export const SOURCE_TIMEOUT_MS = 10_000;
/** Expired records are never given out; cleaning only saves space. */
const CLEANUP_INTERVAL_MS = 300_000;

export interface CoordinatorOptions {
  /** those that are in use, in any order */
  readonly registries: readonly PeerRegistry[];
  readonly clock: Clock;
  /** this peer: sources know it too, but it need not be found */
  readonly self?: PeerId;
  readonly rankOf?: (peer: PeerId) => PeerRank;
  readonly onDiscovery?: OnDiscovery;
}

/** What each registry answered, by its name, and who failed. */
export interface PerRegistry<T> {
  readonly registries: Readonly<Partial<Record<PeerSource, T>>>;
  readonly failures: readonly SourceFailure[];
}

const NOT_MEASURED: PeerRank = { reliability: null, latencyMs: null };

/** All the ways to find peers as one: asks them together, merges, filters, ranks; one that fails hides no other. */
export class DiscoveryCoordinator {
  readonly #options: CoordinatorOptions;
  readonly #cache = new RecordBook();
  #cleanedAt: number;

  constructor(options: CoordinatorOptions) {
    this.#options = options;
    this.#cleanedAt = options.clock.now();
  }

  /** What is known of a peer without asking anybody; it may have expired. */
  known(peer: PeerId): PeerRecord | undefined {
    return this.#cache.get(peer);
  }

  /** Everything known that has not expired, without asking anybody. */
  cached(): readonly PeerRecord[] {
    const now = this.#options.clock.now();
    return this.#cache.all().filter((record) => !isExpired(record, now));
  }

  /**
   * Publishes a record in every registry in use, and remembers it.
   * @param sources only in these; a record of another peer is for this device's own memory
   */
  async register(
    record: PeerRecord,
    signal: AbortSignal,
    sources?: readonly PeerSource[],
  ): Promise<PerRegistry<boolean>> {
    this.#cache.put(record);
    return this.#everywhere(false, (registry, s) => registry.register(record, s), signal, sources);
  }

  /** The peer was seen now. */
  async update(peer: PeerId, signal: AbortSignal, sources?: readonly PeerSource[]): Promise<PerRegistry<boolean>> {
    this.#cache.touch(peer, this.#options.clock.now());
    return this.#everywhere(false, (registry, s) => registry.update(peer, s), signal, sources);
  }

  /** @throws `cancelled` or what else the signal says; a source's failure is in the answer */
  async discover(request: DiscoverRequest, signal: AbortSignal): Promise<Discovered> {
    const { clock, self, rankOf = () => NOT_MEASURED, onDiscovery } = this.#options;
    const { capabilities = [], maxPeers = DEFAULT_MAX_PEERS, sources, timeoutMs = SOURCE_TIMEOUT_MS } = request;
    const started = clock.now();
    const wanted = (source: PeerSource) => sources === undefined || sources.includes(source);
    const copies: Copy[] = [];
    const bySource: Partial<Record<PeerSource, number>> = {};
    const give = (from: PeerSource, records: readonly PeerRecord[]) => {
      bySource[from] = records.length;
      for (const record of records) copies.push({ from, record });
    };

    const asked = this.#inUse().filter(({ name }) => wanted(name));
    const failures: SourceFailure[] = [];
    await mapBounded(asked, PARALLEL_SOURCES, async (registry) => {
      const began = clock.now();
      const query = { capabilities, maxPeers };
      const { value, error } = await this.#isolated(
        [],
        (s) => registry.discover(query, s),
        registry.name,
        signal,
        timeoutMs,
      );
      // this peer is in some of them, too: it has not been found
      const others = value.filter(({ peer }) => peer !== self);
      give(registry.name, others);
      if (error !== null) failures.push({ source: registry.name, error });
      onDiscovery?.(registry.name, others.length, error === null, clock.now() - began, error?.message ?? null);
    });
    signal.throwIfAborted();

    const now = clock.now();
    if (wanted('cache')) give('cache', this.#cache.find({ capabilities, maxPeers: Infinity }, now));
    const merged = mergeRecords(copies).filter(
      // sources see to it themselves; merging can bring in what a more trusted source knows better
      (record) => record.peer !== self && !isExpired(record, now) && hasCapabilities(record, capabilities),
    );
    for (const record of merged) this.#cache.put(record);
    const peers = rankRecords(merged, rankOf, now).slice(0, Math.max(0, maxPeers));
    return { peers, bySource, failures, tookMs: now - started };
  }

  /** Takes the expired out of every registry and the cache (`cache` in the answer). */
  async cleanup(signal: AbortSignal): Promise<PerRegistry<number>> {
    const now = this.#options.clock.now();
    this.#cleanedAt = now;
    const { registries, failures } = await this.#everywhere(0, (registry, s) => registry.cleanup(s), signal);
    return { registries: { ...registries, cache: this.#cache.cleanup(now) }, failures };
  }

  /** {@link cleanup}, when the last was more than 300 s ago; else null. */
  async cleanupIfDue(signal: AbortSignal): Promise<PerRegistry<number> | null> {
    return this.#options.clock.now() - this.#cleanedAt > CLEANUP_INTERVAL_MS ? this.cleanup(signal) : null;
  }

  #inUse(): readonly PeerRegistry[] {
    return this.#options.registries.filter((registry) => registry.available());
  }

  async #everywhere<T>(
    nothing: T,
    work: (registry: PeerRegistry, signal: AbortSignal) => Promise<Outcome<T>>,
    signal: AbortSignal,
    sources?: readonly PeerSource[],
  ): Promise<PerRegistry<T>> {
    const registries: Partial<Record<PeerSource, T>> = {};
    const failures: SourceFailure[] = [];
    const asked = this.#inUse().filter(({ name }) => sources === undefined || sources.includes(name));
    await mapBounded(asked, PARALLEL_SOURCES, async (registry) => {
      const { value, error } = await this.#isolated(nothing, (s) => work(registry, s), registry.name, signal);
      registries[registry.name] = value;
      if (error !== null) failures.push({ source: registry.name, error });
    });
    return { registries, failures };
  }

  /** A source that breaks its contract, or does not come to an end, is a failure like any other. */
  async #isolated<T>(
    nothing: T,
    work: (signal: AbortSignal) => Promise<Outcome<T>>,
    source: PeerSource,
    signal: AbortSignal,
    ms = SOURCE_TIMEOUT_MS,
  ): Promise<Outcome<T>> {
    const { clock } = this.#options;
    const deadline = startDeadline({ clock, ms, what: `asking ${source} for peers`, signal });
    try {
      return await deadline.race(work(deadline.signal));
    } catch (thrown) {
      return { value: nothing, error: deadline.reason() ?? toTabmeshError(thrown) };
    } finally {
      deadline.dispose();
    }
  }
}
