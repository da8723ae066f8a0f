import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tokenize } from '../../../src/search/text/tokenize.ts';

const words = (text: string): string[] => tokenize(text).map((token) => token.word);

describe('tokenize', () => {
  it.each([
    ['Größe Ångström Łódź naïve', ['grosse', 'angstrom', 'lodz', 'naive']],
    ['IL-6', ['il', '6', 'il6']],
    ['SARS\u2011CoV\u20102', ['sars', 'cov', '2', 'sarscov2']],
    ['TNF-α, TNFα and TNF-alpha', ['tnf', 'alpha', 'tnfalpha', 'tnfalpha', 'and', 'tnf', 'alpha', 'tnfalpha']],
    ['BRCA1/2 and p53', ['brca1', '2', 'and', 'p53']],
    ["Parkinson's, Crohn’s, O'Brien", ['parkinson', 'crohn', 'obrien']],
    ['p < 0.05 of 1,400 in 2020, 2021', ['p', '0.05', 'of', '1400', 'in', '2020', '2021']],
    ['CO₂ and H2O', ['co2', 'and', 'h2o']],
    ['ﬁbrosis', ['fibrosis']],
    ['睡眠記憶 a', ['睡眠', '眠記', '記憶', 'a']],
    ['眠', ['眠']],
    ['DNA修復とRNA', ['dna', '修復', '復と', 'rna']],
    ['нейроны', ['неироны']],
    ['μόνο', ['μονο']],
    ['end - of – line', ['end', 'of', 'line']],
    ['', []],
    ['— …', []],
  ])('%j', (text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  it('marks the pieces of a compound, not the whole', () => {
    expect(tokenize('beta-blocker').map(({ word, part }) => [word, part])).toEqual([
      ['beta', true],
      ['blocker', true],
      ['betablocker', false],
    ]);
  });

  it('drops what is longer than any word', () => {
    expect(words(`${'acgt'.repeat(100)} end`)).toEqual(['end']);
  });

  it('gives each token a place in the text that starts and ends within it', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 60 }),
      fc.stringMatching(/^[\w\-.,'’α睡眠 ]{0,60}$/),
    );
    fc.assert(
      fc.property(text, (input) => {
        for (const { start, end, term } of tokenize(input)) {
          expect(term).not.toBe('');
          expect(start).toBeGreaterThanOrEqual(0);
          expect(end).toBeGreaterThan(start);
          expect(end).toBeLessThanOrEqual(input.length);
          // a token begins and ends with a letter, a digit or a mark of one, never in the middle of a character
          expect(input.slice(start, end)).toMatch(/^[\p{L}\p{N}].*$/su);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is the same whatever was tokenized before', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 5 }), fc.string(), (before, text) => {
        const first = tokenize(text);
        for (const other of before) tokenize(other);
        expect(tokenize(text)).toEqual(first);
      }),
    );
  });

  it('takes time in proportion to the text', () => {
    expect(tokenize('a-'.repeat(50_000)).length).toBe(50_000);
    expect(tokenize(`${"a'".repeat(50_000)} end`).length).toBe(1);
  });
});
