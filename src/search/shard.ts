import type { KeyValueStore } from '../contracts/kv.ts';
import type { IndexableRecord, SegmentManifest, SearchRequest, ShardAnswer, ShardSearch } from '../contracts/search.ts';
import type { Clock } from '../lib/clock.ts';
import { TabmeshError, toTabmeshError } from '../lib/errors.ts';
import type { CidString } from '../lib/ids.ts';
import { Slots } from '../lib/slots.ts';
import { answerQuery, answerRelated, type Answer } from './answer.ts';
import { Collection } from './collection.ts';
import { hashEmbedder } from './embed/hash-embedder.ts';
import { checkTopK } from './input.ts';
import { VECTOR_WEIGHT } from './rank.ts';
import { toStoredDoc, type StoredDoc } from './segment/doc.ts';
import { encodeSegment, type StoredSegment } from './segment/format.ts';
import { createSegmentStore, type SegmentStore } from './segment/store.ts';
import { inSlices } from './slices.ts';
import { queryTerms } from './text/query.ts';

export interface ShardSearchOptions {
  /** this device's storage of one room */
  readonly store: KeyValueStore;
  readonly clock: Clock;
}

/** What manifests name; the text index is rebuilt from the stored records, so another name is no obstacle. */
const ENGINE = 'minisearch-bm25/1';

/** The search over everything that this device has indexed; empty until `load`. See {@link ShardSearch}. */
export function createShardSearch({ store, clock }: ShardSearchOptions): ShardSearch {
  return new Shard(createSegmentStore(store), clock);
}

interface Segment {
  readonly manifest: SegmentManifest;
  readonly cids: readonly CidString[];
}

class Shard implements ShardSearch {
  readonly #store: SegmentStore;
  readonly #clock: Clock;
  readonly #collection = new Collection(hashEmbedder);
  readonly #segments = new Map<CidString, Segment>();
  /** one change at a time; searches go on meanwhile and see whole segments only */
  readonly #changes = new Slots(1);

  constructor(store: SegmentStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  load(signal?: AbortSignal): Promise<void> {
    return this.#change(async () => {
      const stored = new Set(await this.#store.list());
      for (const dataset of this.#datasets()) {
        if (!stored.has(dataset)) this.#hide(dataset);
      }
      try {
        await this.#loadNew(stored, signal);
      } finally {
        await this.#dropUnused();
      }
    }, signal);
  }

  addSegment(dataset: CidString, records: readonly IndexableRecord[], signal?: AbortSignal): Promise<SegmentManifest> {
    return this.#change(async () => {
      const present = await this.#present(dataset, signal);
      if (present !== undefined) return present;
      const docs = new Map<CidString, StoredDoc>();
      await inSlices(records, (record) => docs.set(record.cid, toStoredDoc(record)), this.#pace(signal));
      const manifest: SegmentManifest = {
        dataset,
        count: docs.size,
        engine: ENGINE,
        embedder: hashEmbedder.info,
        builtAt: new Date(this.#clock.now()).toISOString(),
      };
      const segment = encodeSegment(manifest, [...docs.values()]);
      await this.#show(segment, signal, () => this.#store.write(segment));
      return manifest;
    }, signal);
  }

  removeSegment(dataset: CidString, signal?: AbortSignal): Promise<void> {
    return this.#change(async () => {
      // reads what is not shown only to refuse one of a newer format
      if (!this.#segments.has(dataset)) await this.#readUnlessCorrupt(dataset);
      await this.#store.delete(dataset);
      this.#hide(dataset);
      await this.#dropUnused();
    }, signal);
  }

  segments(): Promise<readonly SegmentManifest[]> {
    return Promise.resolve(this.#datasets().flatMap((dataset) => this.#segments.get(dataset)?.manifest ?? []));
  }

  search({ query, topK }: SearchRequest, signal?: AbortSignal): Promise<ShardAnswer> {
    return this.#answer(() => {
      checkTopK(topK);
      const terms = queryTerms(query);
      return answerQuery(this.#collection, { query, terms, topK, vectorWeight: VECTOR_WEIGHT });
    }, signal);
  }

  related(recordId: string, topK: number, signal?: AbortSignal): Promise<ShardAnswer> {
    return this.#answer(() => {
      checkTopK(topK);
      return answerRelated(this.#collection, recordId, topK);
    }, signal);
  }

  /** Shows the stored segments that are not shown yet; those that cannot be read fail it when the others are there. */
  async #loadNew(stored: ReadonlySet<CidString>, signal?: AbortSignal): Promise<void> {
    const unreadable: TabmeshError[] = [];
    for (const dataset of stored) {
      if (this.#segments.has(dataset)) continue;
      try {
        const segment = await this.#store.read(dataset);
        if (segment !== undefined) await this.#show(segment, signal);
      } catch (thrown) {
        unreadable.push(unreadableSegment(thrown));
      }
    }
    if (unreadable.length > 0) throw summary(unreadable);
  }

  /**
   * Indexes a segment and makes it visible. On failure, also of `beforeVisible`, nothing of it stays.
   * @param beforeVisible awaited when everything else has worked
   */
  async #show(segment: StoredSegment, signal?: AbortSignal, beforeVisible?: () => Promise<void>): Promise<void> {
    const { manifest, docs } = segment;
    try {
      await inSlices(
        docs,
        (doc) => {
          this.#collection.stage(doc);
        },
        this.#pace(signal),
      );
      await beforeVisible?.();
    } catch (thrown) {
      await this.#dropUnused();
      throw thrown;
    }
    const cids = docs.map((doc) => doc.cid);
    this.#collection.attach(manifest.dataset, cids);
    this.#segments.set(manifest.dataset, { manifest, cids });
  }

  #hide(dataset: CidString): void {
    this.#collection.detach(dataset, this.#segments.get(dataset)?.cids ?? []);
    this.#segments.delete(dataset);
  }

  /** Takes what is invisible out of the index. Not cancellable: half-dropped documents would distort the ranking. */
  #dropUnused(): Promise<void> {
    return inSlices(
      this.#collection.unused(),
      (entry) => {
        this.#collection.drop(entry);
      },
      this.#pace(),
    );
  }

  /** The segment as it is, shown first when another tab of the device stored it; undefined when it must be built. */
  async #present(dataset: CidString, signal?: AbortSignal): Promise<SegmentManifest | undefined> {
    const shown = this.#segments.get(dataset);
    if (shown !== undefined) {
      if (await this.#store.has(dataset)) return shown.manifest;
      // another tab removed it after we loaded it
      this.#hide(dataset);
      return undefined;
    }
    const segment = await this.#readUnlessCorrupt(dataset);
    if (segment !== undefined) await this.#show(segment, signal);
    return segment?.manifest;
  }

  /** A corrupt segment may be replaced or deleted; one of a newer format may not. */
  async #readUnlessCorrupt(dataset: CidString): Promise<StoredSegment | undefined> {
    try {
      return await this.#store.read(dataset);
    } catch (thrown) {
      if (thrown instanceof TabmeshError && thrown.code === 'corrupt') return undefined;
      throw thrown;
    }
  }

  #datasets(): CidString[] {
    return [...this.#segments.keys()].sort();
  }

  #pace(signal?: AbortSignal): { clock: Clock; signal: AbortSignal | undefined } {
    return { clock: this.#clock, signal };
  }

  async #change<T>(change: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await this.#changes.run(() => {
        signal?.throwIfAborted();
        return change();
      }, signal);
    } catch (thrown) {
      throw toTabmeshError(thrown);
    }
  }

  #answer(find: () => Answer, signal?: AbortSignal): Promise<ShardAnswer> {
    const startedAt = this.#clock.now();
    try {
      signal?.throwIfAborted();
      const { hits, total } = find();
      const tookMs = this.#clock.now() - startedAt;
      return Promise.resolve({ hits, total, searched: this.#collection.records, datasets: this.#datasets(), tookMs });
    } catch (thrown) {
      return Promise.reject(toTabmeshError(thrown));
    }
  }
}

/** A failure that concerns one segment only; any other is rethrown. */
function unreadableSegment(thrown: unknown): TabmeshError {
  if (thrown instanceof TabmeshError && (thrown.code === 'format_newer' || thrown.code === 'corrupt')) return thrown;
  throw thrown;
}

/** One error for all segments that could not be read: what asks for an update first, since it explains the rest. */
function summary(unreadable: readonly TabmeshError[]): TabmeshError {
  const first = unreadable.find(({ code }) => code === 'format_newer') ?? unreadable[0];
  const all = unreadable.map(({ message }) => message).join('; ');
  return new TabmeshError(first?.code ?? 'corrupt', all, {
    hint: first?.hint ?? '',
    details: { segments: unreadable.map(({ code, details }) => ({ code, ...details })) },
  });
}
