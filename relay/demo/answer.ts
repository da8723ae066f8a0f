import type { DemoLibrary, DemoRecord } from './library.ts';
import { searchDemo } from './pubmed-search.ts';
import { escapeXml, pubmedXml } from './pubmed-xml.ts';

export interface DemoAnswer {
  readonly status: number;
  readonly type: 'application/json; charset=UTF-8' | 'text/xml; charset=UTF-8' | 'text/plain; charset=UTF-8';
  readonly body: string;
}

/** esearch's own default and ceiling. */
const DEFAULT_RETMAX = 20;
const MAX_RETMAX = 10_000;

/** Answers one E-utilities URL from the library, as PubMed would. */
export function answerEutils(library: DemoLibrary, url: URL): DemoAnswer {
  if (url.pathname.endsWith('/esearch.fcgi')) return esearch(library.records, url.searchParams);
  if (url.pathname.endsWith('/efetch.fcgi')) return efetch(library, url.searchParams);
  return { status: 404, type: 'text/plain; charset=UTF-8', body: `The demo PubMed has no ${url.pathname}\n` };
}

function esearch(records: readonly DemoRecord[], query: URLSearchParams): DemoAnswer {
  const term = query.get('term')?.trim() ?? '';
  if (term === '') return json({ ERROR: 'Empty term and query_key - nothing todo' });
  const { ids, translation, notFound } = searchDemo(records, term);
  const start = number(query.get('retstart'), 0);
  const page = ids.slice(start, start + number(query.get('retmax'), DEFAULT_RETMAX));
  return json({
    count: `${ids.length}`,
    retmax: `${page.length}`,
    retstart: `${start}`,
    idlist: page,
    translationset: [],
    querytranslation: translation,
    ...(notFound.length === 0 ? {} : { errorlist: { phrasesnotfound: notFound, fieldsnotfound: [] } }),
    ...(ids.length > 0
      ? {}
      : { warninglist: { phrasesignored: [], quotedphrasesnotfound: [], outputmessages: ['No items found.'] } }),
  });
}

function efetch({ records, journals }: DemoLibrary, query: URLSearchParams): DemoAnswer {
  const ids = (query.get('id') ?? '').split(',').filter((id) => id !== '');
  if (ids.length === 0) return xml(400, errorXml('Empty id list - nothing todo'));
  const wanted = new Set(ids);
  const found = records.filter(({ pmid, deleted }) => deleted !== true && wanted.has(pmid));
  return xml(200, pubmedXml(found, journals));
}

function number(value: string | null, fallback: number): number {
  return value !== null && /^\d+$/.test(value) ? Math.min(Number(value), MAX_RETMAX) : fallback;
}

function json(result: unknown): DemoAnswer {
  const body = JSON.stringify({ header: { type: 'esearch', version: '0.3' }, esearchresult: result });
  return { status: 200, type: 'application/json; charset=UTF-8', body };
}

function xml(status: number, body: string): DemoAnswer {
  return { status, type: 'text/xml; charset=UTF-8', body };
}

function errorXml(message: string): string {
  return `<?xml version="1.0" encoding="UTF-8" ?>\n<eFetchResult>\n\t<ERROR>${escapeXml(message)}</ERROR>\n</eFetchResult>`;
}
