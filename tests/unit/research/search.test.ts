import { describe, expect, it } from 'vitest';
import type { FetchPort } from '../../../src/contracts/fetch.ts';
import { createProcessGate } from '../../../src/research/gate.ts';
import { createEutils, publicUrl } from '../../../src/research/pubmed/eutils.ts';
import { searchPubmed } from '../../../src/research/pubmed/search.ts';
import { readServed } from '../../support/upstream-routes.ts';
import { answerOf, errorOf, instantClock } from './support.ts';

const EMAIL = 'somebody+list@example.org';
const never = new AbortController().signal;

function over(reply: (url: URL) => string | Uint8Array) {
  const urls: URL[] = [];
  const fetch: FetchPort = {
    get: (url) => {
      urls.push(new URL(url));
      return Promise.resolve(answerOf(200, reply(new URL(url))));
    },
  };
  const eutils = createEutils({
    fetch,
    gate: createProcessGate(),
    clock: instantClock(),
    random: () => 0,
    email: EMAIL,
  });
  return { urls, search: (query: string, max: number) => searchPubmed(eutils, query, max, never) };
}

/** A service with `total` matches, numbered from 1. */
function serviceWith(total: number) {
  return over((url) => {
    const start = Number(url.searchParams.get('retstart'));
    const size = Math.max(0, Math.min(Number(url.searchParams.get('retmax')), total - start));
    const idlist = Array.from({ length: size }, (_, index) => `${start + index + 1}`);
    return JSON.stringify({ esearchresult: { count: `${total}`, retmax: `${size}`, idlist, querytranslation: 'q' } });
  });
}

describe('a search', () => {
  it('says who asks, what and in which order, and keeps the first part private', async () => {
    const { urls, search } = serviceWith(3);
    const { requests } = await search('sleep & memory[Title]', 20);
    expect(Object.fromEntries(urls[0]?.searchParams ?? [])).toEqual({
      db: 'pubmed',
      term: 'sleep & memory[Title]',
      retstart: '0',
      retmax: '20',
      retmode: 'json',
      sort: 'relevance',
      tool: 'tabmesh',
      email: EMAIL,
    });
    expect(requests).toEqual([
      'https://eutils.ncbi.nlm.nih.gov/entrez/eutils/esearch.fcgi?db=pubmed&term=sleep+%26+memory%5BTitle%5D&retstart=0&retmax=20&retmode=json&sort=relevance',
    ]);
    expect(publicUrl('https://x.example/a?api_key=1&b=2&email=c%40d&tool=t')).toBe('https://x.example/a?b=2');
  });

  it.each([
    [3, 20, 3, 1],
    [40_000, 20, 20, 1],
    [40_000, 10_000, 10_000, 2],
    [5_000, 10_000, 5_000, 1],
    [5_001, 10_000, 5_001, 2],
    [0, 10, 0, 1],
  ])('of %i matches, at most %i wanted, gives %i in %i requests', async (total, wanted, given, requests) => {
    const { search } = serviceWith(total);
    const found = await search('q', wanted);
    expect(found.count).toBe(total);
    expect(found.ids).toHaveLength(given);
    expect(new Set(found.ids).size).toBe(given);
    expect(found.requests).toHaveLength(requests);
  });

  it('stops when the service runs out of ids before its own count', async () => {
    const { search } = over((url) =>
      JSON.stringify({
        esearchresult: { count: '9000', idlist: url.searchParams.get('retstart') === '0' ? ['1', '2'] : [] },
      }),
    );
    expect(await search('q', 10_000)).toMatchObject({ ids: ['1', '2'], count: 9000, queryTranslation: null });
  });

  it('tells how the query was understood, and every warning', async () => {
    const reply = await readServed('esearch-base-editing.json');
    const { search } = over(() => reply);
    expect(await search('base editing', 2)).toMatchObject({
      ids: ['90020009', '90020020'],
      queryTranslation: '"base editing"[Title]',
      warnings: [
        'Not found: fleegle[MeSH Terms]',
        'Unknown search field: Gene Symbol',
        'Ignored: the',
        'Quoted phrase not found: "base editting"',
        "Unknown sort schema 'date' ignored",
      ],
    });
  });

  it('that finds nothing is no failure', async () => {
    const reply = await readServed('esearch-nothing.json');
    const { search } = over(() => reply);
    expect(await search('"gut feeling of robots"', 5)).toMatchObject({ ids: [], count: 0 });
  });
});

describe('replies that are no result', () => {
  it.each([
    ['esearch-error.json', 'upstream_error'],
    ['rate-limit-429.json', 'upstream_throttled'],
    ['error-efetch.xml', 'upstream_error'],
    ['maintenance.html', 'upstream_malformed'],
    ['empty-set.xml', 'upstream_malformed'],
  ])('%s is %s', async (name, code) => {
    const reply = await readServed(name);
    const error = await errorOf(over(() => reply).search('q', 1));
    expect(error.code).toBe(code);
    expect(error.hint).not.toBeNull();
    expect(error.message).not.toContain('192.0.2.7');
  });

  it.each([
    '',
    'null',
    '[]',
    '{}',
    '{"esearchresult":[]}',
    '{"esearchresult":{"count":3,"idlist":[]}}',
    '{"esearchresult":{"count":"many","idlist":[]}}',
    '{"esearchresult":{"count":"1"}}',
    '{"esearchresult":{"count":"1","idlist":["1; drop"]}}',
    '{"esearchresult":{"count":"1","idlist":[1]}}',
  ])('%j is malformed', async (reply) => {
    expect((await errorOf(over(() => reply).search('q', 1))).code).toBe('upstream_malformed');
  });
});
