import type { Scored } from './scored.ts';

/**
 * Share of the vector score in the ranking. 0: vectors serve *related records* only.
 * Measured on Cranfield (`npm run bench search`), nDCG@10: BM25 alone 0.396; with weights 0.1 to 0.5 between 0.396
 * and 0.401, all differences from BM25 alone within noise (paired bootstrap at 0.3: −0.002 to +0.011); equal-weight
 * reciprocal rank fusion 0.365, worse beyond doubt. A gain that is not there is not worth a scan per search.
 */
export const VECTOR_WEIGHT = 0;

/**
 * The convex combination `(1 − weight) · text + weight · vector`, with the vector score brought to the scale of the
 * text score by the best of that; a document that one list lacks has 0 there. Scores keep the unit of the text score,
 * so that those of several shards stay comparable.
 * @param text BM25 scores, all above 0
 * @param vector cosines
 * @param weight 0 to 1
 */
export function combine(text: readonly Scored[], vector: readonly Scored[], weight: number): Scored[] {
  if (weight === 0) return [...text];
  const scale = text.reduce((best, { score }) => Math.max(best, score), 0) || 1;
  const scores = new Map(text.map(({ slot, score }) => [slot, (1 - weight) * score]));
  for (const { slot, score } of vector) {
    scores.set(slot, (scores.get(slot) ?? 0) + weight * scale * Math.max(0, score));
  }
  return [...scores].map(([slot, score]) => ({ slot, score }));
}
