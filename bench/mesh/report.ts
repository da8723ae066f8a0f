import { quantile } from '../search/measures.ts';
import type { Kind } from './kinds.ts';
import type { Sample } from './measure.ts';
import { MANY } from './measure.ts';

/** A round of one kind: its sample, and the longest main-thread task of either tab meanwhile, ms. */
export interface Measured extends Sample {
  readonly longestTaskMs: number;
}

/** One line of the table: medians over the rounds; the longest task is the longest of all. */
export interface Line extends Measured {
  readonly id: string;
  readonly title: string;
  /** of this kind to its floor, both of the same round, median over the rounds */
  readonly p50Ratio: number | null;
  readonly perSecondManyRatio: number | null;
}

/** Sums the rounds up. @param rounds one map a round, by kind */
export function summarize(kinds: readonly Kind[], rounds: readonly ReadonlyMap<string, Measured>[]): readonly Line[] {
  return kinds.map(({ id, title, floor }) => {
    const of = (pick: (measured: Measured) => number) =>
      rounds.flatMap((round) => round.get(id) ?? []).map((measured) => pick(measured));
    const ratio = (pick: (measured: Measured) => number) => {
      if (floor === null) return null;
      const ratios = rounds.flatMap((round) => {
        const [measured, base] = [round.get(id), round.get(floor)];
        return measured === undefined || base === undefined ? [] : [pick(measured) / pick(base)];
      });
      return quantile(ratios, 0.5);
    };
    return {
      id,
      title,
      p50Ms: quantile(
        of((m) => m.p50Ms),
        0.5,
      ),
      p95Ms: quantile(
        of((m) => m.p95Ms),
        0.5,
      ),
      perSecond: quantile(
        of((m) => m.perSecond),
        0.5,
      ),
      perSecondMany: quantile(
        of((m) => m.perSecondMany),
        0.5,
      ),
      p50ManyMs: quantile(
        of((m) => m.p50ManyMs),
        0.5,
      ),
      longestTaskMs: Math.max(...of((m) => m.longestTaskMs)),
      p50Ratio: ratio((m) => m.p50Ms),
      perSecondManyRatio: ratio((m) => m.perSecondMany),
    };
  });
}

/** The table as text. */
export function table(lines: readonly Line[]): string {
  const head = ['', 'p50 ms', 'p95 ms', 'calls/s', `calls/s, ${MANY} in flight`, 'p50 ×', `calls/s ×`, 'longest task'];
  const rows = lines.map((line) => [
    line.title,
    line.p50Ms.toFixed(2),
    line.p95Ms.toFixed(2),
    line.perSecond.toFixed(0),
    line.perSecondMany.toFixed(0),
    line.p50Ratio?.toFixed(2) ?? '',
    line.perSecondManyRatio?.toFixed(2) ?? '',
    line.longestTaskMs === 0 ? '< 50 ms' : `${line.longestTaskMs.toFixed(0)} ms`,
  ]);
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => (row[i] ?? '').length)));
  return [head, ...rows]
    .map((row) =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
    )
    .join('\n');
}
