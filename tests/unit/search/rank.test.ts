import { describe, expect, it } from 'vitest';
import { combine } from '../../../src/search/rank.ts';

const text = [
  { slot: 1, score: 8 },
  { slot: 2, score: 4 },
];
const vector = [
  { slot: 2, score: 1 },
  { slot: 3, score: 0.5 },
  { slot: 1, score: -0.5 },
];

describe('combine', () => {
  it('is the text score alone at weight 0', () => {
    expect(combine(text, vector, 0)).toEqual(text);
  });

  it('mixes both on the scale of the text score', () => {
    expect(combine(text, vector, 0.25)).toEqual([
      { slot: 1, score: 6 },
      { slot: 2, score: 5 },
      { slot: 3, score: 1 },
    ]);
  });

  it('ranks by vectors when no word matches', () => {
    expect(combine([], vector, 0.5).map(({ score }) => score)).toEqual([0.5, 0.25, 0]);
  });
});
