import type { IndexableRecord } from '../../contracts/search.ts';
import type { CidString } from '../../lib/ids.ts';
import type { TextFields } from '../text/text-index.ts';

/** What a segment keeps of a record: enough to rebuild its part of the index and to show it as a hit. */
export interface StoredDoc {
  readonly cid: CidString;
  readonly id: string;
  readonly title: string;
  readonly abstract: string;
  readonly keywords: string;
  /** at most {@link MAX_INDEXED_AUTHORS} */
  readonly authors: readonly string[];
  readonly authorCount: number;
  readonly identifiers: string;
  readonly venue: string | null;
  readonly year: number | null;
  readonly url: string;
  readonly retracted: boolean;
}

/** The longest abstracts of PubMed, of book chapters, are some 30,000; more is no abstract and would only cost time. */
const MAX_FIELD_CHARS = 50_000;

/** Papers of large consortia name thousands; nobody looks for the 201st, and they would drown the rest of the field. */
const MAX_INDEXED_AUTHORS = 200;

/** The part of a record that search needs. */
export function toStoredDoc({ cid, record }: IndexableRecord): StoredDoc {
  const abstract = record.abstract.map(({ label, text }) => (label === null ? text : `${label}: ${text}`));
  const keywords = [...record.meshTerms, ...record.keywords, record.vernacularTitle ?? ''];
  // the source's own number: "27797938" of "pubmed:27797938"
  const sourceId = record.id.slice(record.id.indexOf(':') + 1);
  return {
    cid,
    id: record.id,
    title: plain(record.title),
    abstract: plain(abstract.join(' ')),
    keywords: plain(keywords.join(' ')),
    authors: record.authors.slice(0, MAX_INDEXED_AUTHORS).map((author) => plain(author.name)),
    authorCount: record.authors.length,
    identifiers: plain([sourceId, record.doi ?? '', record.pmcid ?? '', ...record.trials].join(' ')),
    venue: record.venue,
    year: record.date.year,
    url: record.url,
    retracted: record.retracted,
  };
}

/** What is indexed for words. */
export function textFields(doc: StoredDoc): TextFields {
  return {
    title: doc.title,
    abstract: doc.abstract,
    keywords: doc.keywords,
    authors: doc.authors.join(' '),
    identifiers: doc.identifiers,
  };
}

/** What the vector stands for: what the record is about, not who wrote it. */
export function subjectText(doc: StoredDoc): string {
  return `${doc.title} ${doc.abstract} ${doc.keywords}`;
}

function plain(text: string): string {
  return text.slice(0, MAX_FIELD_CHARS).replace(/\s+/g, ' ').trim();
}
