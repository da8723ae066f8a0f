import MiniSearch from 'minisearch';
import type { Scored } from '../scored.ts';
import { STOP_WORDS } from './stopwords.ts';
import { tokenize } from './tokenize.ts';

/** The searched text of one document, by field. An empty string where there is none. */
export interface TextFields {
  readonly title: string;
  readonly abstract: string;
  /** subject headings and keywords */
  readonly keywords: string;
  readonly authors: string;
  /** ids, DOIs and trial numbers, for looking up a known record */
  readonly identifiers: string;
}

/** Ranks documents by BM25 over weighted fields. */
export interface TextIndex {
  /** @param slot a number that no document in the index has */
  add(slot: number, fields: TextFields): void;
  /** @param fields the same as when it was added */
  remove(slot: number, fields: TextFields): void;
  /** @returns every document with at least one of the terms, in no particular order; see {@link queryTerms} */
  search(terms: readonly string[]): Scored[];
}

const FIELDS = ['title', 'abstract', 'keywords', 'authors', 'identifiers'] as const;

/**
 * The textbook values of Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009.
 * On Cranfield (`npm run bench search`) they are at the top of a flat plateau (k 1.2 to 2, b 0.7 to 0.9: within 0.01
 * nDCG@10), and minisearch's own addition d (BM25+, 0.5) gains nothing.
 */
const BM25 = { k: 1.2, b: 0.75, d: 0 };

/**
 * A title is a short field with statistics of its own and so counts double already; on Cranfield a weight of 1 to 1.5
 * makes no difference above noise and from 2 on ranking gets worse. 1.5 keeps the gain for titles that are looked for
 * by name, which Cranfield has no queries of.
 */
const FIELD_WEIGHTS = { title: 1.5 };

/** An empty {@link TextIndex}, in memory. */
export function createTextIndex(): TextIndex {
  const index = new MiniSearch<TextFields & { readonly id: number }>({
    fields: [...FIELDS],
    tokenize: fieldTerms,
    processTerm: (term) => term,
    // documents are removed at once, never discarded: minisearch's statistics are wrong between discard and vacuum
    autoVacuum: false,
    searchOptions: { bm25: BM25, boost: FIELD_WEIGHTS, tokenize: (query) => query.split(' ') },
  });
  return {
    add(slot, fields) {
      index.add({ id: slot, ...fields });
    },
    remove(slot, fields) {
      index.remove({ id: slot, ...fields });
    },
    search: (terms) =>
      index.search(terms.join(' ')).map(({ id, score, queryTerms }) => ({
        slot: id as number,
        // minisearch multiplies by the number of terms that matched; BM25 has that in its sum, and on Cranfield the
        // product costs 0.007 to 0.02 nDCG@10
        score: score / queryTerms.length,
      })),
  };
}

/** Stop words are kept in titles only, so that a query of nothing else still finds something, at half the index. */
function fieldTerms(text: string, field?: string): string[] {
  const tokens = tokenize(text);
  const kept = field === 'title' ? tokens : tokens.filter(({ word }) => !STOP_WORDS.has(word));
  return kept.map((token) => token.term);
}
