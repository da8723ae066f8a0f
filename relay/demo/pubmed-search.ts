import type { DemoRecord } from './library.ts';

/** What the demo PubMed makes of a query. */
export interface DemoMatches {
  /** most relevant first */
  readonly ids: readonly string[];
  /** in PubMed's notation */
  readonly translation: string;
  /** words that are in no record */
  readonly notFound: readonly string[];
}

/** A title says more about a record than one word of its abstract does. */
const TITLE_WEIGHT = 5;

/**
 * Searches titles, abstracts, keywords and MeSH terms by word. Words are joined by AND; `OR` and `NOT` are understood
 * from left to right, without brackets; field tags such as `[Title]` are dropped.
 */
export function searchDemo(records: readonly DemoRecord[], query: string): DemoMatches {
  const clauses = readClauses(query);
  const documents = records.map((record) => ({
    record,
    title: wordsOf(record.title),
    all: wordsOf(searchable(record)),
  }));
  const scored = documents.flatMap(({ record, title, all }) => {
    const has = (words: readonly string[]) => words.every((word) => all.includes(word));
    const matches = clauses.some(({ must, mustNot }) => has(must) && !mustNot.some((word) => all.includes(word)));
    if (!matches) return [];
    const words = clauses.flatMap(({ must }) => must);
    return [{ pmid: record.pmid, score: TITLE_WEIGHT * hits(title, words) + hits(all, words) }];
  });
  const vocabulary = new Set(documents.flatMap(({ all }) => all));
  return {
    ids: scored.sort((a, b) => b.score - a.score || a.pmid.localeCompare(b.pmid)).map(({ pmid }) => pmid),
    translation: clauses.map(translated).join(' OR '),
    notFound: clauses.flatMap(({ must }) => must).filter((word) => !vocabulary.has(word)),
  };
}

interface Clause {
  readonly must: readonly string[];
  readonly mustNot: readonly string[];
}

function readClauses(query: string): Clause[] {
  const clauses = query
    .replace(/\[[^\]]*\]/g, ' ')
    .split(/\bOR\b/)
    .map((part) => {
      const [must = '', ...mustNot] = part.split(/\bNOT\b/);
      return { must: wordsOf(must.replace(/\bAND\b/g, ' ')), mustNot: mustNot.flatMap(wordsOf) };
    });
  return clauses.filter(({ must }) => must.length > 0);
}

function translated({ must, mustNot }: Clause): string {
  const field = (word: string) => `"${word}"[All Fields]`;
  return [must.map(field).join(' AND '), ...mustNot.map(field)].join(' NOT ');
}

function searchable({ title, abstract = '', keywords = [], mesh = [] }: DemoRecord): string {
  const text = typeof abstract === 'string' ? abstract : abstract.map(([, section]) => section).join(' ');
  return [title, text, ...keywords, ...mesh].join(' ');
}

/** Lower-case words without markup; a plural counts as its singular. */
function wordsOf(text: string): string[] {
  const words =
    text
      .replace(/<[^>]*>/g, '')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.map((word) => (word.length > 3 && !word.endsWith('ss') ? word.replace(/s$/, '') : word));
}

function hits(words: readonly string[], wanted: readonly string[]): number {
  return words.filter((word) => wanted.includes(word)).length;
}
