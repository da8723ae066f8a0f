import { describe, expect, it } from 'vitest';
import { TabmeshError } from '../../../src/lib/errors.ts';
import { parsePubmedXml } from '../../../src/research/pubmed/parse.ts';
import { readServed } from '../../support/upstream-routes.ts';

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function codeOf(xml: Uint8Array): string {
  try {
    parsePubmedXml(xml);
  } catch (thrown) {
    if (thrown instanceof TabmeshError) return thrown.code;
    throw thrown;
  }
  return 'parsed';
}

function article(inner: string): Uint8Array {
  return bytes(
    `<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>1</PMID><Article>${inner}</Article></MedlineCitation></PubmedArticle></PubmedArticleSet>`,
  );
}

function dateOf(pubDate: string) {
  const xml = article(`<Journal><JournalIssue><PubDate>${pubDate}</PubDate></JournalIssue></Journal>`);
  return parsePubmedXml(xml).records[0]?.date;
}

describe('a PubMed document with the awkward parts of real ones', async () => {
  const { records, deleted } = parsePubmedXml(await readServed('corner-cases.xml'));
  const [first, second, book] = records;

  it('has every record and every deletion', () => {
    expect(records.map(({ id, kind }) => [id, kind])).toEqual([
      ['pubmed:90040001', 'article'],
      ['pubmed:90040002', 'article'],
      ['pubmed:90040003', 'book'],
    ]);
    expect(deleted).toEqual(['90040098', '90040099']);
  });

  it('keeps text around markup, joins no words and drops no tails', () => {
    expect(first?.title).toBe('Early 99mTc imaging of "in vivo" H2O uptake: a tail that must stay.');
    expect(first?.abstract).toEqual([
      { label: 'AIMS', text: 'Uptake after 3 h was x<5 in all.' },
      { label: null, text: 'Raw <text> & all of it.' },
    ]);
  });

  it('names people and groups, without the spelling that was corrected', () => {
    expect(first?.authors).toEqual([
      { name: 'Ada R Testino 3rd', collective: false, orcid: '0000-0002-1825-009X' },
      { name: 'Single', collective: false, orcid: null },
      { name: 'QX Initialled', collective: false, orcid: null },
      { name: 'Awkward Markup Group', collective: true, orcid: null },
    ]);
  });

  it("takes the record's own ids, not those of its references", () => {
    expect(first).toMatchObject({
      doi: '10.5555/90040001',
      pmcid: 'PMC9940001',
      url: 'https://pubmed.ncbi.nlm.nih.gov/90040001/',
      pages: '12-19',
      venue: 'Journal of Awkward Markup',
      venueAbbreviation: 'J Awkw Markup',
      date: { year: 2024, month: 6, day: 30, text: null },
      languages: ['eng', 'nor'],
      meshTerms: ['Mice'],
      keywords: ['mark-up', 'second list'],
    });
  });

  it('lists trial ids but no sequences, and notices but no citations', () => {
    expect(first?.trials).toEqual(['NCT99000401', '2099-000401-11']);
    expect(first?.notices).toEqual([
      { type: 'RetractionIn', pmid: '90040009' },
      { type: 'ErratumIn', pmid: null },
    ]);
    expect(first?.retracted).toBe(true);
  });

  it('is null or empty where the record says nothing', () => {
    expect(second).toMatchObject({
      title: 'عنوان بلا ترجمة',
      vernacularTitle: 'عنوان بلا ترجمة',
      abstract: [],
      authors: [],
      venue: null,
      volume: null,
      doi: null,
      pmcid: null,
      date: { year: 2020, month: 9, day: 7, text: null },
      retracted: false,
    });
  });

  it('reads a whole book by its own title and editors', () => {
    expect(book).toMatchObject({
      title: 'A whole book',
      venue: 'A whole book',
      authors: [{ name: 'Only Editor' }],
      abstract: [],
      date: { year: 2001, month: null, day: null, text: null },
    });
  });
});

describe('dates', () => {
  it.each([
    ['<Year>2020</Year>', { year: 2020, month: null, day: null, text: null }],
    ['<Year>2020</Year><Month>Dec</Month>', { year: 2020, month: 12, day: null, text: null }],
    ['<Year>2020</Year><Month>06</Month><Day>03</Day>', { year: 2020, month: 6, day: 3, text: null }],
    ['<Year>2020</Year><Month>June</Month><Day>3</Day>', { year: 2020, month: 6, day: 3, text: null }],
    ['<Year>1990</Year><Season>Spring</Season>', { year: 1990, month: null, day: null, text: '1990 Spring' }],
    ['<MedlineDate>2000 Nov-Dec</MedlineDate>', { year: 2000, month: null, day: null, text: '2000 Nov-Dec' }],
    ['<MedlineDate>Winter</MedlineDate>', { year: null, month: null, day: null, text: 'Winter' }],
    ['<Year>2020</Year><Month>13</Month>', { year: 2020, month: null, day: null, text: '2020 13' }],
    ['<Year>2020</Year><Month>Jan</Month><Day>41</Day>', { year: 2020, month: 1, day: null, text: '2020 Jan 41' }],
    ['<Year>2020</Year><Month>Whenever</Month>', { year: 2020, month: null, day: null, text: '2020 Whenever' }],
    ['', { year: null, month: null, day: null, text: null }],
  ])('%s', (xml, date) => {
    expect(dateOf(xml)).toEqual(date);
  });
});

describe('answers that are not records', () => {
  it('tells an empty set from an answer that is not one', async () => {
    expect(parsePubmedXml(await readServed('empty-set.xml'))).toEqual({ records: [], deleted: [] });
    expect(codeOf(await readServed('maintenance.html'))).toBe('upstream_malformed');
    expect(codeOf(await readServed('rate-limit-429.json'))).toBe('upstream_malformed');
    expect(codeOf(bytes('<rss><channel/></rss>'))).toBe('upstream_malformed');
    expect(codeOf(bytes('<eFetchResult><ERROR/></eFetchResult>'))).toBe('upstream_malformed');
    expect(codeOf(bytes(''))).toBe('upstream_malformed');
  });

  it("raises an error reply with the service's words", async () => {
    const xml = await readServed('error-efetch.xml');
    expect(() => parsePubmedXml(xml)).toThrow('Unable to obtain query #1');
    expect(codeOf(xml)).toBe('upstream_error');
    expect(codeOf(bytes('<ERROR>no such thing</ERROR>'))).toBe('upstream_error');
    expect(codeOf(bytes('<PubmedArticleSet><ERROR>halfway</ERROR></PubmedArticleSet>'))).toBe('upstream_error');
    expect(codeOf(bytes('<eFetchResult><ERROR>API rate limit exceeded</ERROR></eFetchResult>'))).toBe(
      'upstream_throttled',
    );
  });

  it('refuses entity declarations, unknown entities, cut-off, wrongly encoded and absurdly deep XML', async () => {
    const whole = await readServed('corner-cases.xml');
    expect(codeOf(await readServed('entity-bomb.xml'))).toBe('upstream_malformed');
    expect(codeOf(article('<ArticleTitle>&nbsp;</ArticleTitle>'))).toBe('upstream_malformed');
    expect(codeOf(whole.slice(0, whole.length - 30))).toBe('upstream_malformed');
    expect(codeOf(new Uint8Array([0xff, 0xfe, 0x3c, 0x00]))).toBe('upstream_malformed');
    expect(codeOf(bytes('<?xml version="1.0" encoding="ISO-8859-1"?><PubmedArticleSet/>'))).toBe('upstream_malformed');
    expect(codeOf(article('<i>'.repeat(50_000)))).toBe('upstream_malformed');
  });

  it('refuses a record without PMID', () => {
    expect(codeOf(bytes('<PubmedArticleSet><PubmedArticle/></PubmedArticleSet>'))).toBe('upstream_malformed');
  });
});
