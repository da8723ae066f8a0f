import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { marksOf, snippetOf } from '../../../src/search/snippet.ts';
import { queryTerms } from '../../../src/search/text/query.ts';

const termsOf = (query: string): Set<string> => new Set(queryTerms(query));
const marked = (text: string, query: string): string[] =>
  marksOf(text, termsOf(query)).map(([start, end]) => text.slice(start, end));

const FILLER = 'Nothing of note was seen in any of the groups during this time. ';

describe('marksOf', () => {
  it.each([
    ['One memory of many memories.', 'memories', ['memory', 'memories']],
    ['IL-6 and IL6, not 6', 'IL-6', ['IL-6', 'IL6']],
    ['TNF-α rose', 'tnf alpha', ['TNF', 'α']],
    ['TNF-α rose', 'TNFalpha', ['TNF-α']],
    ['Die Größe', 'grosse', ['Größe']],
    ['nothing', 'sleep', []],
  ])('in %j for %j', (text, query, expected) => {
    expect(marked(text, query)).toEqual(expected);
  });
});

describe('snippetOf', () => {
  it('gives a short text whole', () => {
    expect(snippetOf('Sleep helps.', termsOf('sleep'))).toEqual({ text: 'Sleep helps.', marks: [[0, 5]] });
    expect(snippetOf('', termsOf('sleep'))).toEqual({ text: '', marks: [] });
  });

  it('begins at the beginning when nothing matches', () => {
    const { text, marks } = snippetOf(FILLER.repeat(20), termsOf('zebra'));
    expect(text).toMatch(/^Nothing of note .* …$/);
    expect(marks).toEqual([]);
  });

  it('shows the place with the most different words of the query, from the start of a sentence', () => {
    const source = `Sleep sleep sleep. ${FILLER.repeat(8)}Then sleep met memory. ${FILLER.repeat(8)}`;
    const { text } = snippetOf(source, termsOf('sleep memory'));
    expect(text).toMatch(/^… (?:Nothing|Then) .*Then sleep met memory\. .* …$/);
  });

  it('shows the end of the text when that is where the words are', () => {
    const { text } = snippetOf(`${FILLER.repeat(10)}Last came the zebra.`, termsOf('zebra'));
    expect(text).toMatch(/^… Nothing .* zebra\.$/);
    expect(text.length).toBeGreaterThan(200);
  });

  const vocabulary = [
    'memory',
    'memories',
    'IL-6',
    'sleep',
    'α',
    'naïve',
    '睡眠',
    '😀😀',
    'x'.repeat(400),
    'end.',
    '\t',
  ];
  const source = fc
    .array(fc.oneof(fc.constantFrom(...vocabulary), fc.string({ unit: 'grapheme', maxLength: 8 })), { maxLength: 150 })
    .map((parts) => parts.join(' '));

  it('stays within 300 code units and marks within itself, ascending, not overlapping, whole characters', () => {
    fc.assert(
      fc.property(source, (text) => {
        const snippet = snippetOf(text, termsOf('memories IL-6 naive 睡眠 sleep alpha'));
        expect(snippet.text.length).toBeLessThanOrEqual(300);
        expect(snippet.text.isWellFormed()).toBe(text.isWellFormed());
        let last = -1;
        for (const [start, end] of snippet.marks) {
          expect(start).toBeGreaterThan(last);
          expect(end).toBeGreaterThan(start);
          last = end;
        }
        expect(last).toBeLessThanOrEqual(snippet.text.length);
      }),
      { numRuns: 500 },
    );
  });

  it('is a piece of the text', () => {
    fc.assert(
      fc.property(source, (text) => {
        const piece = snippetOf(text, termsOf('memory sleep')).text.replace(/^… | …$/g, '');
        expect(text).toContain(piece);
      }),
    );
  });

  it('shows a match whenever the text has one', () => {
    fc.assert(
      fc.property(source, (text) => {
        const terms = termsOf('memory');
        expect(snippetOf(text, terms).marks.length > 0).toBe(marksOf(text, terms).length > 0);
      }),
      { numRuns: 300 },
    );
  });
});
