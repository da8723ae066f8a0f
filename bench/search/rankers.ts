import MiniSearch from 'minisearch';
import { hashEmbedder } from '../../src/search/embed/hash-embedder.ts';
import { combine } from '../../src/search/rank.ts';
import type { Scored } from '../../src/search/scored.ts';
import { queryTerms } from '../../src/search/text/query.ts';
import { createTextIndex } from '../../src/search/text/text-index.ts';
import { FlatVectors } from '../../src/search/vectors/flat-vectors.ts';
import type { CranfieldDoc } from './cranfield.ts';

/** A way to rank the documents. */
export interface Ranker {
  readonly name: string;
  /** indexes the documents; the answer ranks them for a query, best first */
  readonly build: (docs: readonly CranfieldDoc[]) => (query: string) => string[];
}

export const BASELINE = 'minisearch, its defaults';
export const OURS = 'BM25, ours';

/** Weights of the vector score that are tried, with 0 (ours alone) and 1 (vectors alone) beside them. */
const WEIGHTS = [0.1, 0.2, 0.3, 0.4, 0.5] as const;

export const rankers: readonly Ranker[] = [
  { name: BASELINE, build: buildMiniSearch },
  { name: OURS, build: (docs) => ranking(docs, buildText(docs)) },
  { name: 'vectors alone', build: (docs) => ranking(docs, buildVectors(docs)) },
  ...WEIGHTS.map((weight) => ({
    name: `convex, vector weight ${weight.toFixed(1)}`,
    build: fused((text, vector) => combine(text, vector, weight)),
  })),
  { name: 'reciprocal rank fusion, equal weight', build: fused(reciprocalRanks) },
];

type Score = (query: string) => Scored[];

function buildMiniSearch(docs: readonly CranfieldDoc[]): (query: string) => string[] {
  const index = new MiniSearch<CranfieldDoc>({ fields: ['title', 'text', 'authors'] });
  index.addAll(docs);
  return (query) => index.search(query).map((hit) => String(hit.id));
}

function buildText(docs: readonly CranfieldDoc[]): Score {
  const index = createTextIndex();
  for (const [slot, { title, text, authors }] of docs.entries()) {
    index.add(slot, { title, abstract: text, keywords: '', authors, identifiers: '' });
  }
  return (query) => index.search(queryTerms(query));
}

function buildVectors(docs: readonly CranfieldDoc[]): Score {
  const vectors = new FlatVectors(hashEmbedder.info.dimension);
  for (const [slot, { title, text }] of docs.entries()) vectors.set(slot, hashEmbedder.embed(`${title} ${text}`));
  return (query) => vectors.search(hashEmbedder.embed(query), everything);
}

/** Every row at or above 0. */
const everything = { k: Number.MAX_SAFE_INTEGER, floor: 0, accept: () => true, tie: (a: number, b: number) => a - b };

function fused(fuse: (text: Scored[], vector: Scored[]) => Scored[]): Ranker['build'] {
  return (docs) => {
    const text = buildText(docs);
    const vector = buildVectors(docs);
    return ranking(docs, (query) => fuse(text(query), vector(query)));
  };
}

/** The constant of Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion", 2009. */
const RRF_K = 60;

function reciprocalRanks(...lists: Scored[][]): Scored[] {
  const scores = new Map<number, number>();
  for (const list of lists) {
    for (const [rank, { slot }] of best(list).entries()) {
      scores.set(slot, (scores.get(slot) ?? 0) + 1 / (RRF_K + rank + 1));
    }
  }
  return [...scores].map(([slot, score]) => ({ slot, score }));
}

function ranking(docs: readonly CranfieldDoc[], score: Score): (query: string) => string[] {
  return (query) => best(score(query)).map(({ slot }) => docs[slot]?.id ?? '');
}

function best(list: readonly Scored[]): Scored[] {
  return [...list].sort((a, b) => b.score - a.score || a.slot - b.slot);
}
