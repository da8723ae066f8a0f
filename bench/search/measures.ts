/** Retrieval measures over one ranking; binary relevance, gain 1. */

/** Discounted cumulative gain of the first `k`, over that of an ideal ranking (Järvelin and Kekäläinen, 2002). */
export function ndcg(ranking: readonly string[], relevant: ReadonlySet<string>, k: number): number {
  const ideal = discounts(Math.min(k, relevant.size), () => true);
  const gain = discounts(Math.min(k, ranking.length), (i) => relevant.has(ranking[i] ?? ''));
  return ideal === 0 ? 0 : gain / ideal;
}

/** Share of the relevant documents that are among the first `k`. */
export function recall(ranking: readonly string[], relevant: ReadonlySet<string>, k: number): number {
  const found = ranking.slice(0, k).filter((id) => relevant.has(id)).length;
  return relevant.size === 0 ? 0 : found / relevant.size;
}

/** Mean of the precision at each relevant document; one that is not ranked counts as 0. */
export function averagePrecision(ranking: readonly string[], relevant: ReadonlySet<string>): number {
  let found = 0;
  let sum = 0;
  for (const [i, id] of ranking.entries()) {
    if (!relevant.has(id)) continue;
    found += 1;
    sum += found / (i + 1);
  }
  return relevant.size === 0 ? 0 : sum / relevant.size;
}

/** The value below which `share` (0 to 1) of `values` lie; nearest rank. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN;
}

export function mean(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function discounts(count: number, counts: (i: number) => boolean): number {
  let sum = 0;
  for (let i = 0; i < count; i += 1) if (counts(i)) sum += 1 / Math.log2(i + 2);
  return sum;
}

/** Resamples of the paired bootstrap: the interval's ends then vary by less than the third digit. */
const RESAMPLES = 2_000;

/**
 * 95 % confidence interval of the mean of paired differences by the bootstrap percentile method (Sakai, 2006), with a
 * fixed seed, so that the same numbers always give the same interval.
 */
export function pairedInterval(differences: readonly number[]): readonly [number, number] {
  const random = xorshift(0x2545_f491);
  const means = Array.from({ length: RESAMPLES }, () => {
    const resample = differences.map(() => differences[random() % differences.length] ?? 0);
    return mean(resample);
  });
  return [quantile(means, 0.025), quantile(means, 0.975)];
}

function xorshift(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>>= 0);
  };
}
