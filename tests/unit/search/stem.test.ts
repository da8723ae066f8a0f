import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stem } from '../../../src/search/text/stem.ts';

describe('stem', () => {
  it.each([
    ['memory', 'memories'],
    ['disease', 'diseases'],
    ['diagnosis', 'diagnoses'],
    ['analysis', 'analyses'],
    ['metastasis', 'metastases'],
    ['bacterium', 'bacteria', 'bacterial'],
    ['antibody', 'antibodies'],
    ['virus', 'viruses'],
    ['biopsy', 'biopsies'],
    ['control', 'controls', 'controlled', 'controlling'],
    ['induce', 'induced', 'inducing', 'induces'],
    ['activate', 'activation', 'activated', 'activator'],
    ['clinical', 'clinically'],
    ['randomize', 'randomized', 'randomised', 'randomization', 'randomisation'],
    ['boundary', 'boundaries'],
    ['pass', 'passes', 'passed', 'passing'],
    ['cell', 'cells'],
  ])('%s has the stem of its other forms', (word, ...forms) => {
    for (const form of forms) expect(stem(form), form).toBe(stem(word));
  });

  it.each([
    ['virus', 'viral'],
    ['trial', 'trying'],
    ['sing', 'single'],
    ['universe', 'unit'],
    ['gene', 'genius'],
    ['bed', 'bee'],
    ['red', 'ring'],
    ['mass', 'mask'],
  ])('%s and %s stay apart', (a, b) => {
    expect(stem(a)).not.toBe(stem(b));
  });

  it.each(['p53', 'il6', 'α', '睡眠', 'gas', 'ring', 'dna', 'naïve'])('leaves %s alone', (word) => {
    expect(stem(word)).toBe(word);
  });

  it('never makes a word longer, or empty', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{1,20}$/), (word) => {
        const length = stem(word).length;
        expect(length).toBeGreaterThan(0);
        expect(length).toBeLessThanOrEqual(word.length);
      }),
    );
  });
});
