/**
 * How fast a tool call is: `node bench/mesh.ts [--rounds N] [--loads N]`. Two tabs of a real Chromium and relays of their
 * own, in one run; all kinds take turns in each round.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'vite';
import { buildApp } from '../scripts/build-app.ts';
import { plainCaller, sdkCaller } from './mesh/clients.ts';
import { kinds, type Kind } from './mesh/kinds.ts';
import { MANY, type Length } from './mesh/measure.ts';
import { measureOpening } from './mesh/open-page.ts';
import { servePage } from './mesh/page-server.ts';
import { startRelay } from './mesh/relay.ts';
import { summarize, table, type Measured } from './mesh/report.ts';
import { launchBrowser, openPair, type TabPair } from './mesh/tabs.ts';

const ROOT = join(import.meta.dirname, '..');
const OUT = join(ROOT, 'bench', 'out');

/** Enough for a median that a busy moment of the machine does not move. */
const ROUNDS = 7;
const LOADS = 7;
/** Each half of a round, for each kind: hundreds of calls and more. */
const LENGTH: Length = { ms: 600, minCalls: 2 * MANY };

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { rounds: { type: 'string', default: String(ROUNDS) }, loads: { type: 'string', default: String(LOADS) } },
  });
  if ((await buildApp({ force: false })) !== 0) throw new Error('the app could not be built');
  await build({ configFile: join(ROOT, 'bench', 'page', 'vite.config.ts'), logLevel: 'error' });

  await using resources = new AsyncDisposableStack();
  const kept = <T>(value: T, dispose: (value: T) => Promise<void>) => resources.adopt(value, dispose);
  // the second one has no tabs, so it answers itself
  const relay = kept(await startRelay(), (each) => each.stop());
  const lonely = kept(await startRelay(), (each) => each.stop());
  const pages = kept(await servePage(join(OUT, 'page')), (each) => each.close());
  const browser = kept(await launchBrowser(), (each) => each.close());
  const pair = await openPair(browser, pages.origin, relay.invite);
  const compared = kinds(pair, {
    sdkTab: kept(await sdkCaller(relay, 'peer'), (each) => each.close()),
    plainTab: kept(plainCaller(relay, 'peer'), (each) => each.close()),
    sdkRelay: kept(await sdkCaller(lonely, 'self'), (each) => each.close()),
    plainRelay: kept(plainCaller(lonely, 'self'), (each) => each.close()),
  });

  const rounds: ReadonlyMap<string, Measured>[] = [];
  for (let i = 0; i < Number(values.rounds); i++) rounds.push(await round(compared, pair));
  const lines = summarize(compared, rounds);
  console.log(`\nmesh: medians of ${rounds.length} rounds (×: to the raw channel, to the relay's own answer)\n`);
  console.log(table(lines));

  const opening = await measureOpening(browser, relay, pair, Number(values.loads));
  const { firstMemberMs, firstDirectTabMs } = opening.median;
  console.log(`\nopen page → joined, median of ${opening.loads.length} loads with warm caches`);
  console.log(`  first member linked and proven  ${firstMemberMs.toFixed(0)} ms`);
  console.log(`  first direct link to a tab      ${firstDirectTabMs.toFixed(0)} ms\n`);

  mkdirSync(OUT, { recursive: true });
  const report = { browser: browser.version(), node: process.version, rounds: rounds.length, lines, opening };
  writeFileSync(join(OUT, 'mesh.json'), `${JSON.stringify(report, null, 2)}\n`);
}

async function round(compared: readonly Kind[], { a, b }: TabPair): Promise<ReadonlyMap<string, Measured>> {
  const longestTask = async () =>
    Math.max(...(await Promise.all([a, b].map((page) => page.evaluate(() => bench.takeLongestTask())))));
  const measured = new Map<string, Measured>();
  for (const kind of compared) {
    await longestTask();
    const sample = await kind.measure(LENGTH);
    measured.set(kind.id, { ...sample, longestTaskMs: await longestTask() });
  }
  return measured;
}

await main();
