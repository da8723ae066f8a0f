import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCranfield } from '../../../bench/search/cranfield.ts';
import { averagePrecision, mean, ndcg, pairedInterval, quantile, recall } from '../../../bench/search/measures.ts';
import { OURS, rankers } from '../../../bench/search/rankers.ts';

const SHARED = process.env['TABMESH_SHARED'] ?? join(import.meta.dirname, '../../../../shared');
const CRANFIELD = join(SHARED, 'retrieval', 'cranfield');

describe('the retrieval measures', () => {
  const relevant = new Set(['a', 'b']);

  it('give the values worked out by hand', () => {
    expect(ndcg(['a', 'x', 'b'], relevant, 10)).toBeCloseTo(1.5 / (1 + 1 / Math.log2(3)), 10);
    expect(ndcg(['x', 'a'], relevant, 1)).toBe(0);
    expect(ndcg(['b', 'a'], relevant, 10)).toBe(1);
    expect(recall(['a', 'x', 'b'], relevant, 2)).toBe(0.5);
    expect(averagePrecision(['a', 'x', 'b'], relevant)).toBeCloseTo((1 + 2 / 3) / 2, 10);
    expect(averagePrecision(['a'], relevant)).toBe(0.5);
    expect(mean([1, 2, 6])).toBe(3);
    expect(quantile([5, 1, 4, 2, 3], 0.5)).toBe(3);
    expect(quantile([5, 1, 4, 2, 3], 0.95)).toBe(5);
  });

  it('give an interval that holds the mean and is the same each time', () => {
    const differences = Array.from({ length: 200 }, (_, i) => (i % 10) / 10);
    const [low, high] = pairedInterval(differences);
    expect(low).toBeGreaterThan(0.38);
    expect(low).toBeLessThan(0.45);
    expect(high).toBeGreaterThan(0.45);
    expect(high).toBeLessThan(0.52);
    expect(pairedInterval(differences)).toEqual([low, high]);
  });
});

describe.skipIf(!existsSync(CRANFIELD))(
  'ranking on Cranfield (skipped unless the collection is in TABMESH_SHARED)',
  () => {
    it('is at least as good as plain BM25: nDCG@10 0.370, recall@100 0.710', () => {
      const collection = readCranfield(CRANFIELD);
      if (collection === undefined) throw new Error('the collection vanished');
      const rank = rankers.find(({ name }) => name === OURS)?.build(collection.docs) ?? (() => []);
      const rankings = collection.topics.map(({ query, relevant }) => ({ ranking: rank(query), relevant }));
      expect(rankings).toHaveLength(225);
      expect(mean(rankings.map(({ ranking, relevant }) => ndcg(ranking, relevant, 10)))).toBeGreaterThan(0.37);
      expect(mean(rankings.map(({ ranking, relevant }) => recall(ranking, relevant, 100)))).toBeGreaterThan(0.71);
    });
  },
);
