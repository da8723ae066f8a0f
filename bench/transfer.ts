/**
 * How fast a dataset goes from one tab to another: `node bench/transfer.ts [--sizes 1,10,100] [--rounds N]`. Two tabs of a
 * real Chromium and a relay of their own; the raw data channel, our transfer and Bitswap take turns in each round.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { build } from 'vite';
import { servePage } from './mesh/page-server.ts';
import { startRelay } from './mesh/relay.ts';
import { launchBrowser, openPair, type TabPair } from './mesh/tabs.ts';
import { quantile } from './search/measures.ts';

const ROOT = join(import.meta.dirname, '..');
const OUT = join(ROOT, 'bench', 'out');
const MB = 1_000_000;

/** A median that a busy moment of the machine does not move. */
const ROUNDS = 3;
/** Bitswap takes minutes for what is larger than this: then one round must do, which is long enough in itself. */
const ONE_ROUND_FROM_MB = 50;

/** Long enough for the channels and the compiler. */
const WARM_UP_MB = 4;

/** A room deletes blocks that nobody lists 5 s after it was opened, and the bench's are such. */
const AFTER_SWEEP_MS = 7_000;

/** One of the ways. */
interface Way {
  readonly id: string;
  readonly title: string;
  /** @returns ms, and bytes of blocks */
  measure(bytes: number): Promise<{ readonly ms: number; readonly bytes: number }>;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { sizes: { type: 'string', default: '1,10,100' }, rounds: { type: 'string', default: String(ROUNDS) } },
  });
  await build({ configFile: join(ROOT, 'bench', 'page', 'vite.config.ts'), logLevel: 'error' });
  await using resources = new AsyncDisposableStack();
  const kept = <T>(value: T, dispose: (value: T) => Promise<void>) => resources.adopt(value, dispose);
  const relay = kept(await startRelay(), (each) => each.stop());
  const pages = kept(await servePage(join(OUT, 'page')), (each) => each.close());
  const browser = kept(await launchBrowser(), (each) => each.close());
  const pair = await openPair(browser, pages.origin, relay.invite);
  await pair.a.evaluate(() => bench.serveStreamBulk());
  await sleep(AFTER_SWEEP_MS);
  // code is compiled, and the channels' windows grow, before anything is measured
  for (const way of ways(pair)) if (way.id !== 'bitswap') await way.measure(WARM_UP_MB * MB);

  const lines: object[] = [];
  console.log(`\ntransfer: MB/s, medians of up to ${values.rounds} rounds (×: to the raw channel)\n`);
  for (const size of values.sizes.split(',').map(Number)) {
    const speeds = new Map<string, number[]>();
    const failures = new Map<string, string>();
    const rounds = size < ONE_ROUND_FROM_MB ? Number(values.rounds) : 1;
    for (let round = 0; round < rounds; round++) {
      for (const way of ways(pair)) {
        try {
          const { ms, bytes } = await way.measure(size * MB);
          speeds.set(way.id, [...(speeds.get(way.id) ?? []), bytes / MB / (ms / 1000)]);
        } catch (error) {
          // a way that does not get through says something too
          failures.set(way.id, (error as Error).message.split('\n')[0] ?? '');
        }
      }
    }
    const raw = speeds.get('raw') ?? [];
    for (const { id, title } of ways(pair)) {
      const of = speeds.get(id) ?? [];
      const failed = failures.get(id);
      const label = `${String(size).padStart(4)} MB  ${title.padEnd(44)}`;
      if (failed !== undefined) {
        lines.push({ size, id, failed });
        console.log(`${label}  failed: ${failed}`);
        continue;
      }
      const mbPerSecond = quantile(of, 0.5);
      const ratio = quantile(
        of.map((speed, round) => speed / (raw[round] ?? NaN)),
        0.5,
      );
      lines.push({ size, id, mbPerSecond, ratio, rounds: of });
      console.log(`${label} ${mbPerSecond.toFixed(1).padStart(7)}  ${ratio.toFixed(2)}`);
    }
  }
  mkdirSync(OUT, { recursive: true });
  const report = { browser: browser.version(), node: process.version, lines };
  writeFileSync(join(OUT, 'transfer.json'), `${JSON.stringify(report, null, 2)}\n`);
}

function ways({ a, b, ids }: TabPair): readonly Way[] {
  const dataset = (bytes: number) => a.evaluate((size) => bench.makeDataset(size), bytes);
  const transfer = (into: 'memory' | 'disk') => async (size: number) => {
    const { data, bytes } = await dataset(size);
    const ms = await b.evaluate(([peer, d, i]) => bench.measureTransfer(peer, d, i), [ids.a, data, into] as const);
    return { ms, bytes };
  };
  const stream = (kind: 'plain' | 'tuned') => async (bytes: number) => ({
    ms: await b.evaluate(([peer, size, k]) => bench.measureStreamBulk(peer, size, k), [ids.a, bytes, kind] as const),
    bytes,
  });
  return [
    {
      id: 'raw',
      title: 'raw RTCDataChannel, messages of 64 KiB',
      measure: async (bytes) => ({ ms: await b.evaluate((size) => bench.measureChannelBulk(size), bytes), bytes }),
    },
    { id: 'libp2p', title: 'raw libp2p stream', measure: stream('plain') },
    { id: 'tuned', title: 'raw libp2p stream, set up as for a transfer', measure: stream('tuned') },
    { id: 'memory', title: 'transfer, verified, into memory', measure: transfer('memory') },
    { id: 'disk', title: "transfer, verified, into the tab's database", measure: transfer('disk') },
    {
      id: 'bitswap',
      title: "Bitswap, into the tab's database",
      measure: async (size) => {
        const { data, bytes } = await dataset(size);
        return { ms: await b.evaluate((d) => bench.measureBitswap(d), data), bytes };
      },
    },
  ];
}

await main();
