import { describe, expect, it } from 'vitest';
import type { LiteratureRecord } from '../../../src/contracts/records.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import { parsePubmedXml } from '../../../src/research/pubmed/parse.ts';
import type { ParsedPubmed } from '../../../src/research/pubmed/parse.ts';
import { readSearchReply } from '../../../src/research/pubmed/search-reply.ts';
import { NO_RECORDED, readRecorded, recordedPubmed } from '../../support/upstream-routes.ts';

const available = recordedPubmed() !== undefined;

async function parsed(name: string): Promise<ParsedPubmed> {
  return parsePubmedXml(await readRecorded(`efetch/${name}`));
}

async function only(name: string): Promise<LiteratureRecord> {
  const { records } = await parsed(name);
  const [record] = records;
  if (records.length !== 1 || record === undefined) throw new Error(`${records.length} records in ${name}`);
  return record;
}

function pmids(records: readonly LiteratureRecord[]): string[] {
  return records.map(({ id }) => id.replace('pubmed:', ''));
}

describe.skipIf(!available)(`recorded efetch answers${available ? '' : `: ${NO_RECORDED}`}`, () => {
  it('12091962-9997: two records, a season, no abstract; doi beside pii', async () => {
    const { records } = await parsed('12091962-9997.xml');
    expect(pmids(records)).toEqual(['12091962', '9997']);
    expect(records[0]).toMatchObject({
      title: 'The treatment of AIDS behind the walls of correctional facilities.',
      abstract: [],
      date: { year: 1990, month: null, day: null, text: '1990 Spring' },
    });
    expect(records[0]?.keywords.length).toBeGreaterThan(0);
    expect(records[1]?.doi).toMatch(/^10\./);
  });

  it('27797938: structured abstract, italics, 22 authors, one comment among 48 citations', async () => {
    const record = await only('27797938-structured-abstract.xml');
    expect(record.abstract.map(({ label }) => label)).toEqual(['OBJECTIVE', 'DESIGN', 'RESULTS', 'CONCLUSIONS']);
    expect(record.title).toContain('genetic variants at the TERT gene region and risk of pancreatic');
    expect(record.authors).toHaveLength(22);
    expect(record.notices.map(({ type }) => type)).toEqual(['CommentIn']);
    expect(record.doi).toMatch(/^10\./);
    expect(record.pmcid).toMatch(/^PMC\d+$/);
    expect(record.retracted).toBe(false);
  });

  it('30108519: MathML in the abstract, a quotation around markup, a year alone', async () => {
    const record = await only('30108519-mathml.xml');
    expect(record.title).toMatch(
      /^A "Blood Relationship" Between the Overlooked Minimum Lactate Equivalent and Maximal Lacta/,
    );
    expect(record.abstract.map(({ text }) => text).join(' ')).not.toMatch(/[<>]mml|\s{2}/);
    expect(record.date).toMatchObject({ month: null, day: null, text: null });
    expect(record.date.year).toBe(2018);
  });

  it('20301295: a whole book', async () => {
    const record = await only('20301295-book.xml');
    expect(record).toMatchObject({
      id: 'pubmed:20301295',
      kind: 'book',
      title: 'GeneReviews™',
      date: { year: 1993, month: null, day: null, text: null },
      languages: ['eng'],
    });
    expect(record.abstract).toHaveLength(1);
    expect(record.authors.map(({ name }) => name)).toContain('Roberta A Pagon');
  });

  it('37909814: an id that is gone gives no record', async () => {
    expect(await parsed('37909814.xml')).toEqual({ records: [], deleted: [] });
  });

  it('38962805: an erratum without authors or abstract', async () => {
    expect(await only('38962805.xml')).toMatchObject({
      title: 'Correction.',
      authors: [],
      abstract: [],
      notices: [{ type: 'ErratumFor', pmid: '38446048' }],
      date: { year: 2024, month: 7, day: null, text: null },
      pages: '228-229',
    });
  });

  it('36987902: two languages and a vernacular title', async () => {
    const record = await only('36987902.xml');
    expect(record.languages).toEqual(['eng', 'nor']);
    expect(record.vernacularTitle).not.toBeNull();
    expect(record.title).toMatch(/^Patients over 75 years admitted to the National Burn Centre/);
    expect(record.authors.some(({ name }) => name.includes('Ø'))).toBe(true);
  });

  it('35649368: an erratum is not a retraction', async () => {
    const record = await only('35649368.xml');
    expect(record.notices).toContainEqual({ type: 'ErratumIn', pmid: '35767954' });
    expect(record.retracted).toBe(false);
  });

  it('36156117: the preprint it updates', async () => {
    expect((await only('36156117.xml')).notices).toContainEqual({ type: 'UpdateOf', pmid: '35794888' });
  });

  it('31789841: a suffix', async () => {
    expect((await only('31789841.xml')).authors.map(({ name }) => name)).toContainEqual(
      expect.stringMatching(/Artino Jr$/),
    );
  });

  it('34843274: a group as the only author', async () => {
    expect((await only('34843274.xml')).authors).toEqual([
      {
        name: 'Guideline Development Panel for the Treatment of Depressive Disorders',
        collective: true,
        orcid: null,
      },
    ]);
  });

  it('37787043: markup in the title reads as text', async () => {
    expect((await only('37787043.xml')).title).toBe(
      'Mechanism and applications of bidirectional extracellular electron transfer of Shewanella.',
    );
  });

  it('29226023: labels, and no manuscript id in place of the PMC id', async () => {
    const record = await only('29226023.xml');
    expect(record.abstract.map(({ label }) => label)).toEqual(['AIMS', 'METHODS', 'RESULTS', 'CONCLUSIONS']);
    expect(record.pmcid).toMatch(/^PMC\d+$/);
  });

  it('37733615: a season', async () => {
    const record = await only('37733615.xml');
    expect(record.date).toEqual({ year: 2021, month: null, day: null, text: '2021 Summer' });
    expect(record.venue).toBe('Human biology');
  });

  it('a batch with a retracted article and dates in words', async () => {
    const { records } = await parsed('batch-retracted-medlinedate.xml');
    expect(records).toHaveLength(20);
    expect(pmids(records.filter(({ retracted }) => retracted))).toEqual(['31541003']);
    const retracted = records.find(({ id }) => id === 'pubmed:31541003');
    expect(retracted?.notices).toContainEqual({ type: 'RetractionIn', pmid: '32167152' });
    const inWords = records.filter(({ date }) => date.text !== null);
    expect(pmids(inWords).sort()).toEqual(['31540998', '31540999', '31541000', '31541001']);
    expect(inWords[0]?.date).toEqual({ year: 2019, month: null, day: null, text: '2019 Sep/Oct' });
    const news = records.find(({ id }) => id === 'pubmed:31541004');
    expect(news?.abstract).toEqual([]);
    expect(news?.publicationTypes).toContain('News');
  });

  it('a batch with deletions', async () => {
    const { records, deleted } = await parsed('batch-with-deletecitation.xml');
    expect(records).toHaveLength(10);
    expect(records.filter(({ abstract }) => abstract.length === 0)).toHaveLength(9);
    expect(deleted).toHaveLength(23);
    expect([deleted[0], deleted.at(-1)]).toEqual(['30830050', '32410779']);
  });

  it('five recent records in the order of the search', async () => {
    const { records } = await parsed('five-2026.xml');
    expect(pmids(records)).toEqual(['42286391', '42286351', '42286322', '42286178', '42286177']);
    expect(records[0]?.title).toMatch(/^Early timepoint 99mTc-DPD whole body/);
    const labels = records.flatMap(({ abstract }) => abstract.map(({ label }) => label));
    expect(labels).toEqual(expect.arrayContaining(['KEY POINTS', 'MATERIALS AND METHODS']));
    expect(records.some(({ authors }) => authors.some(({ orcid }) => orcid !== null))).toBe(true);
  });

  it('a web page is refused', async () => {
    const page = await readRecorded('efetch/not-xml-html-page.html');
    expect(() => parsePubmedXml(page)).toThrow(expect.objectContaining({ code: 'upstream_malformed' }) as Error);
  });
});

describe.skipIf(!available)(`recorded esearch answers${available ? '' : `: ${NO_RECORDED}`}`, () => {
  it.each([
    ['radiology-ai.json', 42_111, 5, ["Unknown sort schema 'date' ignored"]],
    ['apc-e1317q-100ids.json', 40_362, 100, ['Not found: p.E1317Q']],
    ['mlh1-one-hit.json', 1, 1, []],
    ['quoted-phrase-not-found.json', 0, 0, ['Quoted phrase not found: "zzqxunfoundphrase qqxz"', 'No items found.']],
    ['hypertension-10.json', 785_129, 10, []],
  ])('%s', async (name, count, ids, warnings) => {
    const reply = readSearchReply(await readRecorded(`esearch/${name}`));
    expect([reply.count, reply.ids.length, reply.warnings]).toEqual([count, ids, warnings]);
  });

  it('an error in XML is an error', async () => {
    const body = await readRecorded('esearch/invalid-db.xml');
    expect(() => readSearchReply(body)).toThrow('Invalid db name specified: fleegle');
  });

  it('a rate limit never repeats the address of the caller', async () => {
    const body = await readRecorded('errors/rate-limit-429.json');
    try {
      readSearchReply(body);
      expect.unreachable();
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(TabmeshError);
      const { code, message } = thrown as TabmeshError;
      expect(code).toBe('upstream_throttled');
      expect(message).not.toContain('redacted');
    }
  });
});
