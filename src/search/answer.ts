import type { SearchHit } from '../contracts/search.ts';
import { TabmeshError } from '../lib/errors.ts';
import type { Collection, Entry } from './collection.ts';
import { toHit } from './hits.ts';
import { combine } from './rank.ts';
import type { Scored } from './scored.ts';

/** The hits of one shard and how many there are beyond them. */
export interface Answer {
  readonly hits: readonly SearchHit[];
  readonly total: number;
}

/**
 * Below 0.15 two vectors cannot be told from unrelated ones: the cosine of random directions in 384 dimensions has a
 * standard deviation of 0.05, and this is three of them.
 */
const RELATED_FLOOR = 0.15;

/**
 * Vector candidates beside those that match by words, when vectors take part in the ranking: ten times the longest
 * answer that the tools allow, so that cutting them changes no answer.
 */
const VECTOR_CANDIDATES = 1_000;

/**
 * Scores are compared to six decimals: the averages in BM25 depend in their last bits on the order in which records
 * came, and equal records must rank the same whatever that was.
 */
const SCORE_STEPS = 1e6;

/**
 * Ranks the collection for a query.
 * @param query what the person typed; used for its vector, when `vectorWeight` is not 0
 * @param terms of the query, as `queryTerms` gives them
 * @param vectorWeight share of the vector score, 0 to 1
 */
export function answerQuery(
  collection: Collection,
  { query, terms, topK, vectorWeight }: { query: string; terms: readonly string[]; topK: number; vectorWeight: number },
): Answer {
  const text = collection.searchText(terms);
  const vector = vectorWeight === 0 ? [] : vectorCandidates(collection, query);
  const scored = combine(text, vector, vectorWeight);
  return bestOfEachRecord(collection, scored, topK, new Set(terms));
}

/**
 * The records nearest to the given one, by vector; none of its versions is among them.
 * @throws `not_found` when the record is not here
 */
export function answerRelated(collection: Collection, recordId: string, topK: number): Answer {
  const [entry] = [...collection.versions(recordId)].sort((a, b) => compareText(a.doc.cid, b.doc.cid));
  if (entry === undefined) {
    throw new TabmeshError('not_found', `record ${recordId} is not in the search index of this device`, {
      hint: 'Ask a device that holds a dataset with this record.',
    });
  }
  const near = new Set<string>();
  const scored = collection.vectors.search(collection.vectors.get(entry.slot), {
    // enough that versions of one record cannot push out another record
    k: topK + collection.extraVersions,
    floor: RELATED_FLOOR,
    accept: (slot) => {
      const id = collection.visible(slot)?.doc.id;
      if (id === undefined || id === recordId) return false;
      near.add(id);
      return true;
    },
    tie: byIdentity(collection),
  });
  return { hits: bestOfEachRecord(collection, scored, topK, new Set()).hits, total: near.size };
}

function vectorCandidates(collection: Collection, query: string): Scored[] {
  return collection.vectors.search(collection.embed(query), {
    k: VECTOR_CANDIDATES,
    floor: RELATED_FLOOR,
    accept: (slot) => collection.visible(slot) !== undefined,
    tie: byIdentity(collection),
  });
}

/** Best first, the best version of each record; equal scores in the order of record ids. */
function bestOfEachRecord(
  collection: Collection,
  scored: readonly Scored[],
  topK: number,
  terms: ReadonlySet<string>,
): Answer {
  const ranked: { entry: Entry; score: number }[] = [];
  for (const { slot, score } of scored) {
    const entry = collection.visible(slot);
    if (entry !== undefined) ranked.push({ entry, score: Math.round(score * SCORE_STEPS) / SCORE_STEPS });
  }
  ranked.sort((a, b) => b.score - a.score || compareDocs(a.entry, b.entry));
  const ids = new Set<string>();
  const hits: SearchHit[] = [];
  for (const { entry, score } of ranked) {
    if (ids.has(entry.doc.id)) continue;
    ids.add(entry.doc.id);
    const [dataset] = [...entry.datasets].sort();
    if (hits.length < topK && dataset !== undefined) hits.push(toHit(entry.doc, dataset, score, terms));
  }
  return { hits, total: ids.size };
}

function byIdentity(collection: Collection): (a: number, b: number) => number {
  return (a, b) => {
    const left = collection.visible(a);
    const right = collection.visible(b);
    return left === undefined || right === undefined ? 0 : compareDocs(left, right);
  };
}

function compareDocs(a: Entry, b: Entry): number {
  return compareText(a.doc.id, b.doc.id) || compareText(a.doc.cid, b.doc.cid);
}

/** By code units: unlike `localeCompare` the same on every device. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
