import type { SearchHit } from '../contracts/search.ts';
import type { CidString } from '../lib/ids.ts';
import type { StoredDoc } from './segment/doc.ts';
import { marksOf, snippetOf } from './snippet.ts';

/** What the contract allows: more names do not help to recognise a record, and consortia have thousands. */
const MAX_AUTHORS = 6;

/** Shows a document as a hit. @param terms what is marked in it, as `queryTerms` gives them */
export function toHit(doc: StoredDoc, dataset: CidString, score: number, terms: ReadonlySet<string>): SearchHit {
  const snippet = snippetOf(doc.abstract, terms);
  return {
    recordCid: doc.cid,
    recordId: doc.id,
    dataset,
    title: doc.title,
    snippet: snippet.text,
    snippetMarks: snippet.marks,
    titleMarks: marksOf(doc.title, terms),
    authors: doc.authors.slice(0, MAX_AUTHORS),
    authorCount: doc.authorCount,
    venue: doc.venue,
    year: doc.year,
    url: doc.url,
    retracted: doc.retracted,
    score,
  };
}
