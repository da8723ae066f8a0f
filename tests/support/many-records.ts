import type { Route } from './upstream-routes.ts';

const PMID_BASE = 9_000_000;
/** The number in a query, such as "set 7", chooses which records it finds. */
const PER_SET = 1_000;

/** A PubMed in which every query finds as many records as asked for, up to `count`, all of the least that a record may have. */
export function manyRecords(count: number): Route {
  return (url) => {
    if (url.pathname.endsWith('/esearch.fcgi')) {
      const asked = Number(url.searchParams.get('retmax') ?? count);
      const set = Number(/\d+/.exec(url.searchParams.get('term') ?? '')?.[0] ?? 0);
      const first = PMID_BASE + PER_SET * set;
      const ids = Array.from({ length: Math.min(asked, count) }, (_, index) => String(first + index));
      const esearchresult = {
        count: String(count),
        retmax: String(ids.length),
        retstart: '0',
        idlist: ids,
        translationset: [],
        querytranslation: url.searchParams.get('term') ?? '',
      };
      return { type: 'application/json', body: JSON.stringify({ header: { type: 'esearch' }, esearchresult }) };
    }
    if (url.pathname.endsWith('/efetch.fcgi')) {
      const ids = (url.searchParams.get('id') ?? '').split(',');
      const body = `<?xml version="1.0" ?>\n<PubmedArticleSet>${ids.map(article).join('')}</PubmedArticleSet>`;
      return { type: 'text/xml; charset=UTF-8', body };
    }
    return undefined;
  };
}

function article(pmid: string): string {
  return (
    `<PubmedArticle><MedlineCitation Status="MEDLINE"><PMID Version="1">${pmid}</PMID><Article>` +
    `<Journal><JournalIssue><PubDate><Year>2024</Year></PubDate></JournalIssue><Title>Test Journal</Title></Journal>` +
    `<ArticleTitle>Numbered article ${pmid}</ArticleTitle>` +
    `<Abstract><AbstractText>Of no consequence, and number ${pmid}.</AbstractText></Abstract>` +
    `</Article></MedlineCitation></PubmedArticle>`
  );
}
