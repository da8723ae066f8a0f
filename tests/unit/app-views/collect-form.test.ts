import { describe, expect, it } from 'vitest';
import { readCollectForm } from '../../../src/app/research/collect-form.ts';
import { searchWords } from '../../../src/app/search/search-words.ts';

describe('readCollectForm', () => {
  it('gives the inputs of a run', () => {
    expect(readCollectForm('  sleep ', '1,000', 10_000)).toEqual({
      ok: true,
      inputs: { query: 'sleep', max_results: 1000 },
    });
  });

  it.each(['', '0', '-1', '1.5', '10001', 'many', '1e3'])('refuses %o records', (amount) => {
    expect(readCollectForm('sleep', amount, 10_000)).toEqual({
      ok: false,
      errors: { query: null, amount: 'A whole number from 1 to 10,000.' },
    });
  });

  it('refuses an empty and an endless query', () => {
    expect(readCollectForm(' ', '1', 10)).toMatchObject({ ok: false, errors: { query: 'Write what to look for.' } });
    expect(readCollectForm('x'.repeat(2001), '1', 10)).toMatchObject({ ok: false });
  });
});

describe('searchWords', () => {
  it.each([
    ['"gut microbiome"[ti] AND depression AND review[pt]', 'gut microbiome depression review'],
    ['(sleep OR insomnia) NOT child*', 'sleep insomnia child'],
    ['ANDROGEN receptor', 'ANDROGEN receptor'],
    ['', ''],
  ])('%s', (query, words) => {
    expect(searchWords(query)).toBe(words);
  });
});
