import type { CidString } from '../lib/ids.ts';
import type { Embedder } from './embed/embedder.ts';
import type { Scored } from './scored.ts';
import { subjectText, textFields, type StoredDoc } from './segment/doc.ts';
import { createTextIndex, type TextIndex } from './text/text-index.ts';
import { FlatVectors } from './vectors/flat-vectors.ts';

/** A document in the index and the datasets that it is in; in none, it is not visible. */
export interface Entry {
  readonly doc: StoredDoc;
  readonly slot: number;
  readonly datasets: Set<CidString>;
}

/**
 * The documents of all segments in one index, each once. Documents are staged first, which is the work, and become
 * visible together when their dataset is attached; {@link Collection.unused} names those that no dataset needs.
 */
export class Collection {
  readonly vectors: FlatVectors;
  readonly #embedder: Embedder;
  readonly #text: TextIndex = createTextIndex();
  readonly #byCid = new Map<CidString, Entry>();
  readonly #slots: (Entry | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  /** visible versions of each record: datasets collected at different times may hold different ones */
  readonly #versions = new Map<string, Set<Entry>>();

  constructor(embedder: Embedder) {
    this.#embedder = embedder;
    this.vectors = new FlatVectors(embedder.info.dimension);
  }

  /** visible records; versions of one record count once */
  get records(): number {
    return this.#versions.size;
  }

  /** documents beyond the first version of their record */
  get extraVersions(): number {
    let extra = 0;
    for (const versions of this.#versions.values()) extra += versions.size - 1;
    return extra;
  }

  /** Indexes a document unless it is there; it stays invisible until {@link attach}. */
  stage(doc: StoredDoc): void {
    if (this.#byCid.has(doc.cid)) return;
    const slot = this.#freeSlots.pop() ?? this.#slots.length;
    const entry: Entry = { doc, slot, datasets: new Set() };
    this.#text.add(slot, textFields(doc));
    this.vectors.set(slot, this.#embedder.embed(subjectText(doc)));
    this.#slots[slot] = entry;
    this.#byCid.set(doc.cid, entry);
  }

  /** Makes staged documents visible as parts of a dataset, all at once. */
  attach(dataset: CidString, cids: Iterable<CidString>): void {
    for (const cid of cids) {
      const entry = this.#byCid.get(cid);
      if (entry === undefined) continue;
      entry.datasets.add(dataset);
      const versions = this.#versions.get(entry.doc.id) ?? new Set();
      this.#versions.set(entry.doc.id, versions.add(entry));
    }
  }

  /** Takes documents out of a dataset; those that no other dataset has are invisible from now on. */
  detach(dataset: CidString, cids: Iterable<CidString>): void {
    for (const cid of cids) {
      const entry = this.#byCid.get(cid);
      if (entry?.datasets.delete(dataset) !== true || entry.datasets.size > 0) continue;
      const versions = this.#versions.get(entry.doc.id);
      versions?.delete(entry);
      if (versions?.size === 0) this.#versions.delete(entry.doc.id);
    }
  }

  /** Documents of no dataset: left by {@link detach}, or staged and given up. */
  unused(): Entry[] {
    return [...this.#byCid.values()].filter((entry) => entry.datasets.size === 0);
  }

  /** Takes an unused document out of the index. */
  drop(entry: Entry): void {
    this.#text.remove(entry.slot, textFields(entry.doc));
    this.#slots[entry.slot] = undefined;
    this.#freeSlots.push(entry.slot);
    this.#byCid.delete(entry.doc.cid);
  }

  /** The visible document of a slot. */
  visible(slot: number): Entry | undefined {
    const entry = this.#slots[slot];
    return entry !== undefined && entry.datasets.size > 0 ? entry : undefined;
  }

  /** The visible versions of a record. */
  versions(recordId: string): readonly Entry[] {
    return [...(this.#versions.get(recordId) ?? [])];
  }

  /** BM25 of every document with at least one of the terms; invisible ones may be among them. */
  searchText(terms: readonly string[]): Scored[] {
    return this.#text.search(terms);
  }

  embed(text: string): Float32Array {
    return this.#embedder.embed(text);
  }
}
