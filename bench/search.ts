/**
 * Retrieval quality and speed on the Cranfield collection: `node bench/search.ts`. The collection is looked for in
 * `../shared/retrieval/cranfield`, or in `retrieval/cranfield` of the folder that TABMESH_SHARED names.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCranfield } from './search/cranfield.ts';
import { averagePrecision, mean, ndcg, pairedInterval, quantile, recall } from './search/measures.ts';
import { BASELINE, OURS, rankers, type Ranker } from './search/rankers.ts';
import type { Cranfield } from './search/cranfield.ts';

const ROOT = join(import.meta.dirname, '..');
const SHARED = process.env['TABMESH_SHARED'] ?? join(ROOT, '..', 'shared');
const OUT = join(ROOT, 'bench', 'out', 'search.json');

/** Enough for a median that one busy moment of the machine does not move. */
const ROUNDS = 5;

interface Quality {
  readonly ndcg10: number;
  readonly recall100: number;
  readonly map: number;
  /** 95 % interval of the difference in nDCG@10 from {@link OURS}, over the same topics */
  readonly ndcgDifference: readonly [number, number];
}

interface Timing {
  /** milliseconds, medians over the rounds */
  readonly buildMs: number;
  readonly queryP50Ms: number;
  readonly queryP95Ms: number;
}

function main(): void {
  const folder = join(SHARED, 'retrieval', 'cranfield');
  const collection = readCranfield(folder);
  if (collection === undefined) {
    console.log(`search: skipped, the Cranfield collection is not in ${folder} (set TABMESH_SHARED)`);
    return;
  }
  const quality = measureQuality(collection);
  const timing = measureTiming(collection);
  printQuality(quality);
  printTiming(timing);
  const report = {
    collection: { name: 'Cranfield', documents: collection.docs.length, topics: collection.topics.length },
    node: process.version,
    rounds: ROUNDS,
    baseline: BASELINE,
    rankers: rankers.map(({ name }) => ({ name, ...quality.get(name), ...timing.get(name) })),
  };
  mkdirSync(join(ROOT, 'bench', 'out'), { recursive: true });
  writeFileSync(OUT, `${JSON.stringify(report, null, 2)}\n`);
}

function measureQuality({ docs, topics }: Cranfield): Map<string, Quality> {
  const scores = new Map(
    rankers.map(({ name, build }) => {
      const rank = build(docs);
      const perTopic = topics.map(({ query, relevant }) => {
        const ranking = rank(query);
        return {
          ndcg: ndcg(ranking, relevant, 10),
          recall: recall(ranking, relevant, 100),
          precision: averagePrecision(ranking, relevant),
        };
      });
      return [name, perTopic] as const;
    }),
  );
  const ours = scores.get(OURS) ?? [];
  return new Map(
    [...scores].map(([name, perTopic]) => [
      name,
      {
        ndcg10: mean(perTopic.map((score) => score.ndcg)),
        recall100: mean(perTopic.map((score) => score.recall)),
        map: mean(perTopic.map((score) => score.precision)),
        ndcgDifference: pairedInterval(perTopic.map((score, i) => score.ndcg - (ours[i]?.ndcg ?? 0))),
      },
    ]),
  );
}

/** Only the engines that stand alone: a fusion costs the sum of its two. All take turns in each round. */
function measureTiming(collection: Cranfield): Map<string, Timing> {
  const timed = rankers.slice(0, 3);
  const rounds = Array.from({ length: ROUNDS }, () => timed.map((ranker) => timeOnce(ranker, collection)));
  return new Map(
    timed.map(({ name }, i) => {
      const median = (pick: (timing: Timing) => number): number =>
        quantile(rounds.flatMap((round) => round[i] ?? []).map(pick), 0.5);
      return [
        name,
        {
          buildMs: median((timing) => timing.buildMs),
          queryP50Ms: median((timing) => timing.queryP50Ms),
          queryP95Ms: median((timing) => timing.queryP95Ms),
        },
      ];
    }),
  );
}

function timeOnce({ build }: Ranker, { docs, topics }: Cranfield): Timing {
  const startedAt = performance.now();
  const rank = build(docs);
  const buildMs = performance.now() - startedAt;
  const times = topics.map(({ query }) => {
    const askedAt = performance.now();
    rank(query);
    return performance.now() - askedAt;
  });
  return { buildMs, queryP50Ms: quantile(times, 0.5), queryP95Ms: quantile(times, 0.95) };
}

function printQuality(quality: ReadonlyMap<string, Quality>): void {
  console.log('\nsearch: quality on Cranfield (Δ: 95 % interval of the nDCG@10 difference from ours)\n');
  row(['', 'nDCG@10', 'recall@100', 'MAP', 'Δ']);
  for (const [
    name,
    {
      ndcg10,
      recall100,
      map,
      ndcgDifference: [low, high],
    },
  ] of quality) {
    row([name, ndcg10.toFixed(3), recall100.toFixed(3), map.toFixed(3), `${signed(low)} to ${signed(high)}`]);
  }
}

function printTiming(timing: ReadonlyMap<string, Timing>): void {
  console.log(`\nsearch: time, medians of ${String(ROUNDS)} rounds (×: of ${BASELINE} in this run)\n`);
  row(['', 'build ms', 'query p50 ms', 'query p95 ms', '']);
  const base = timing.get(BASELINE);
  for (const [name, { buildMs, queryP50Ms, queryP95Ms }] of timing) {
    row([
      name,
      `${buildMs.toFixed(0)} (×${ratio(buildMs, base?.buildMs)})`,
      `${queryP50Ms.toFixed(2)} (×${ratio(queryP50Ms, base?.queryP50Ms)})`,
      `${queryP95Ms.toFixed(2)} (×${ratio(queryP95Ms, base?.queryP95Ms)})`,
      '',
    ]);
  }
}

function row([name = '', ...cells]: readonly string[]): void {
  console.log(name.padEnd(38) + cells.map((cell) => cell.padStart(18)).join(''));
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)}`;
}

function ratio(value: number, base: number | undefined): string {
  return base === undefined ? '–' : (value / base).toFixed(2);
}

main();
