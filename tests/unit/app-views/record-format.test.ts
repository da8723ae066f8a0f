import { describe, expect, it } from 'vitest';
import type { LiteratureRecord } from '../../../src/contracts/records.ts';
import {
  authorLine,
  citationLine,
  formatPartialDate,
  languageName,
  sourceId,
} from '../../../src/app/search/record-format.ts';
import { identifiers, noticeText, webUrl } from '../../../src/app/search/record-links.ts';

const nothing = { year: null, month: null, day: null, text: null };

describe('formatPartialDate', () => {
  it.each([
    [{ year: 2016, month: 10, day: 27, text: null }, '27 Oct 2016'],
    [{ year: 2016, month: 10, day: null, text: null }, 'Oct 2016'],
    [{ year: 2016, month: null, day: null, text: null }, '2016'],
    [{ year: 1990, month: null, day: null, text: '1990 Spring' }, '1990 Spring'],
    [{ ...nothing, text: '19th century' }, '19th century'],
    [{ year: 2016, month: 13, day: 1, text: null }, '2016'],
    [nothing, null],
  ])('%o is %s', (date, words) => {
    expect(formatPartialDate(date)).toBe(words);
  });
});

describe('authorLine', () => {
  it.each([
    [[], 0, ''],
    [['A'], 1, 'A'],
    [['A', 'B', 'C'], 3, 'A, B, C'],
    [['A', 'B', 'C', 'D'], 4, 'A, B, C and 1 more'],
    [['A', 'B', 'C', 'D', 'E', 'F'], 2859, 'A, B, C and 2,856 more'],
    [['A', 'B'], 0, 'A, B'],
  ])('%o of %i', (names, total, line) => {
    expect(authorLine(names, total)).toBe(line);
  });
});

describe('languageName', () => {
  it.each([
    ['eng', 'English'],
    ['jpn', 'Japanese'],
    ['zxx-not', 'zxx-not'],
    ['', ''],
  ])('%s is %s', (code, name) => {
    expect(languageName(code)).toBe(name);
  });
});

describe('citationLine', () => {
  const full = {
    venue: 'The New England journal of medicine',
    venueAbbreviation: 'N Engl J Med',
    volume: '375',
    issue: '19',
    pages: '1823-1833',
    date: { year: 2016, month: 11, day: 10, text: null },
  };

  it('follows the Vancouver order', () => {
    expect(citationLine(full)).toBe('N Engl J Med. 10 Nov 2016;375(19):1823-1833');
  });

  it('leaves out what is unknown with its punctuation', () => {
    expect(citationLine({ ...full, issue: null, pages: null })).toBe('N Engl J Med. 10 Nov 2016;375');
    expect(citationLine({ ...full, volume: null, issue: null })).toBe('N Engl J Med. 10 Nov 2016;1823-1833');
    expect(citationLine({ ...full, date: nothing, venueAbbreviation: 'Proc. Soc.' })).toBe(
      'Proc. Soc. 375(19):1823-1833',
    );
    expect(
      citationLine({ venue: null, venueAbbreviation: null, volume: null, issue: null, pages: null, date: nothing }),
    ).toBe('');
  });
});

describe('links of a record', () => {
  const record = {
    id: 'pubmed:27797938',
    doi: '10.1016/S0140-6736(16)31919-5',
    pmcid: 'PMC5102345',
    trials: ['NCT01234567', 'ISRCTN7'],
  } as unknown as LiteratureRecord;

  it('go to the registries', () => {
    expect(identifiers(record)).toEqual([
      { label: 'PMID', value: '27797938', href: 'https://pubmed.ncbi.nlm.nih.gov/27797938/' },
      {
        label: 'DOI',
        value: '10.1016/S0140-6736(16)31919-5',
        href: 'https://doi.org/10.1016/S0140-6736(16)31919-5',
      },
      { label: 'PMCID', value: 'PMC5102345', href: 'https://pmc.ncbi.nlm.nih.gov/articles/PMC5102345/' },
      { label: 'Trial', value: 'NCT01234567', href: 'https://clinicaltrials.gov/study/NCT01234567' },
      { label: 'Trial', value: 'ISRCTN7', href: null },
    ]);
  });

  it('are not built from ids of another form', () => {
    const odd = { ...record, id: 'pubmed:../x', doi: 'javascript:alert(1)', pmcid: null, trials: [] };
    expect(identifiers(odd).map((each) => each.href)).toEqual([null, null]);
    expect(webUrl('javascript:alert(1)')).toBeNull();
    expect(webUrl('not a url')).toBeNull();
    expect(webUrl('https://pubmed.ncbi.nlm.nih.gov/1/')).toBe('https://pubmed.ncbi.nlm.nih.gov/1/');
    expect(sourceId('pubmed:1')).toBe('1');
  });

  it('name notices in words', () => {
    expect(noticeText({ type: 'RetractionIn', pmid: '9' })).toEqual({
      text: 'Retracted in',
      href: 'https://pubmed.ncbi.nlm.nih.gov/9/',
    });
    expect(noticeText({ type: 'AssociatedDataset', pmid: null })).toEqual({ text: 'Associated Dataset', href: null });
  });
});
