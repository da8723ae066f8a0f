import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerEutils } from '../../../relay/demo/answer.ts';
import { loadDemoLibrary } from '../../../relay/demo/library.ts';
import { startDemoUpstream } from '../../../relay/demo/upstream.ts';
import type { DemoUpstream } from '../../../relay/demo/upstream.ts';
import { parsePubmedXml } from '../../../src/research/pubmed/parse.ts';
import { readSearchReply } from '../../../src/research/pubmed/search-reply.ts';

let demo: DemoUpstream;
beforeAll(async () => {
  demo = await startDemoUpstream({ port: 0, host: '127.0.0.1' });
});
afterAll(() => demo.close());

async function ask(path: string): Promise<Uint8Array> {
  return new Uint8Array(await (await fetch(`${demo.url}/entrez/eutils/${path}`)).arrayBuffer());
}

const search = async (term: string, more = '') =>
  readSearchReply(await ask(`esearch.fcgi?db=pubmed&retmode=json&term=${encodeURIComponent(term)}${more}`));

describe('the demo PubMed', () => {
  it('pages through a result', async () => {
    const whole = await search('sleep', '&retmax=100');
    const [one, two] = [await search('sleep', '&retmax=5'), await search('sleep', '&retstart=5&retmax=5')];
    expect(one.count).toBe(whole.count);
    expect([...one.ids, ...two.ids]).toEqual(whole.ids.slice(0, 10));
    expect((await search('sleep', '&retstart=9000')).ids).toEqual([]);
  });

  it('understands AND, OR, NOT, quotes and field tags', async () => {
    const ids = async (term: string) => (await search(term, '&retmax=100')).ids;
    const [rice, deafness] = [await ids('rice'), await ids('deafness')];
    expect(rice).toEqual(['90020007']);
    expect((await ids('rice OR deafness')).toSorted()).toEqual([...rice, ...deafness].toSorted());
    expect(await ids('"rice"[Title] AND herbicide')).toEqual(rice);
    expect(await ids('rice NOT herbicide')).toEqual([]);
  });

  it('puts a record about the words before one that mentions them', async () => {
    expect((await search('spindles infants')).ids[0]).toBe('90010016');
  });

  it('says so when it knows no such word', async () => {
    expect(await search('unicorn')).toMatchObject({ count: 0, warnings: ['Not found: unicorn', 'No items found.'] });
  });

  it('leaves out ids that are gone or were never assigned', async () => {
    const { records } = parsePubmedXml(await ask('efetch.fcgi?db=pubmed&retmode=xml&id=90010001,90010099,1'));
    expect(records.map(({ id }) => id)).toEqual(['pubmed:90010001']);
  });

  it('reports empty requests as PubMed does, and knows no other pages', async () => {
    await expect(search('')).rejects.toThrow('Empty term');
    const body = await ask('efetch.fcgi?db=pubmed');
    expect(() => parsePubmedXml(body)).toThrow('Empty id list');
    expect((await fetch(`${demo.url}/`)).status).toBe(404);
    expect((await fetch(demo.url, { method: 'POST' })).status).toBe(405);
  });
});

describe('the self-written records', async () => {
  const library = await loadDemoLibrary();
  const served = library.records.filter(({ deleted }) => deleted !== true);
  const ids = served.map(({ pmid }) => pmid).join(',');
  const { body } = answerEutils(library, new URL(`http://x.invalid/efetch.fcgi?id=${ids}`));
  const { records } = parsePubmedXml(new TextEncoder().encode(body));
  const byPmid = (pmid: string) => records.find(({ id }) => id === `pubmed:${pmid}`);

  it('are about sixty, all different, all readable', () => {
    expect(records).toHaveLength(served.length);
    expect(records.length).toBeGreaterThanOrEqual(60);
    expect(new Set(records.map(({ id }) => id)).size).toBe(records.length);
    expect(records.every(({ date }) => date.year !== null && date.year >= 1990 && date.year <= 2026)).toBe(true);
    expect(records.every(({ title }) => !/[<>]/.test(title))).toBe(true);
  });

  it('come out as they were written', () => {
    expect(byPmid('90010001')).toMatchObject({
      venue: 'Journal of Sleep and Cognition',
      venueAbbreviation: 'J Sleep Cogn',
      volume: '14',
      issue: '2',
      pages: '101-113',
      date: { year: 2021, month: 4, day: 19, text: null },
      doi: '10.5555/90010001',
      pmcid: 'PMC9900001',
      retracted: false,
    });
    expect(byPmid('90010001')?.authors[0]).toEqual({
      name: 'Maren O Lindqvist',
      collective: false,
      orcid: '0000-0002-1825-0097',
    });
    expect(byPmid('90010001')?.abstract.map(({ label }) => label)).toEqual([
      'BACKGROUND',
      'METHODS',
      'RESULTS',
      'CONCLUSIONS',
    ]);
  });

  it('are of every kind that the parser must know', () => {
    expect(byPmid('90010009')?.authors).toMatchObject([{ collective: true }]);
    expect(byPmid('90010006')?.date).toEqual({ year: 1994, month: null, day: null, text: '1994 Spring' });
    expect(byPmid('90020017')?.date).toEqual({ year: 1997, month: null, day: null, text: '1997 Nov-Dec' });
    expect(byPmid('90010011')).toMatchObject({
      retracted: true,
      notices: [{ type: 'RetractionIn', pmid: '90010012' }],
    });
    expect(byPmid('90010012')?.retracted).toBe(false);
    expect(byPmid('90010018')).toMatchObject({ kind: 'book', venue: 'Essentials of Sleep Medicine' });
    expect(byPmid('90010017')).toMatchObject({
      languages: ['ara'],
      vernacularTitle: expect.stringMatching(/\p{Script=Arabic}/u) as string,
    });
    expect(byPmid('90020007')?.venue).toBe('Plant & livestock genome methods');
    expect(byPmid('90020001')?.title).toContain('stop codon in CFTR in human');
    expect(byPmid('90020016')?.abstract[0]?.text).toContain('law, E=Emaxg/(k+g), in the dose');
    expect(byPmid('90020006')?.authors[1]?.name).toBe('Jeremy Morrow Jr');
    expect(byPmid('90020004')?.trials).toEqual(['NCT99000204']);
    expect(byPmid('90030005')?.trials).toEqual(['ISRCTN99000305']);
  });
});
