import { describe, expect, it } from 'vitest';
import { queryTerms } from '../../../src/search/text/query.ts';

describe('queryTerms', () => {
  it('drops stop words and repetitions', () => {
    expect(queryTerms('the sleep of the sleeping')).toEqual(['sleep']);
  });

  it('keeps stop words when there is nothing else', () => {
    expect(queryTerms('Who is who')).toEqual(['who', 'is']);
  });

  it('looks for a compound, not for the number that is cut off it', () => {
    expect(queryTerms('IL-6')).toEqual(['il', 'il6']);
    expect(queryTerms('vitamin D')).toEqual(['vitamin', 'd']);
    expect(queryTerms('6')).toEqual(['6']);
  });

  it('takes the first 64 different words of a long text', () => {
    const text = Array.from({ length: 500 }, (_, i) => `word${String(i)}`).join(' ');
    expect(queryTerms(text)).toHaveLength(64);
  });

  it.each(['', ' \n', '…?!', '🐦'])('refuses %j', (query) => {
    expect(() => queryTerms(query)).toThrow(expect.objectContaining({ code: 'invalid_input' }));
  });
});
