/**
 * What the endpoint costs: `node bench/gateway.ts [--rounds N] [--calls N]`. The SDK's server alone, another gateway in front of
 * it, our relay's own tool and one of a tab in a real Chromium, over MCP and REST, with 1, 32 and 256 calls in flight; all take
 * turns in each round. Then the relay's memory over many calls.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'vite';
import { buildApp } from '../scripts/build-app.ts';
import { rest, sessionMcp, statelessMcp, type Ways } from './gateway/requests.ts';
import { startEchoServer, startOtherGateway } from './gateway/subjects.ts';
import { servePage } from './mesh/page-server.ts';
import { startRelay, type BenchRelay } from './mesh/relay.ts';
import { launchBrowser, openPair } from './mesh/tabs.ts';
import { processUsage } from './relay/process-usage.ts';
import { quantile } from './search/measures.ts';

const ROOT = join(import.meta.dirname, '..');
const OUT = join(ROOT, 'bench', 'out');

const ROUNDS = 5;
const IN_FLIGHT = [1, 32, 256] as const;
/** Each kind at each level, each round: hundreds of calls and more. */
const ROUND_MS = 1_000;
const WARM_UP_CALLS = 100;
const MEMORY_CALLS = 100_000;
/** How often memory is looked at on the way. */
const MEMORY_LOOKS = 10;
/** Each token may have 64 calls running; a team's clients have one each. */
const TOKENS = 8;
/** About 100 bytes: what a small call's arguments take. */
const PAYLOAD = JSON.stringify({ query: 'statins AND cardiovascular outcomes', max_results: 25, sources: ['pubmed'] });

const TITLE_CHARS = 36;

interface Kind {
  readonly id: string;
  readonly title: string;
  readonly callers: readonly Ways[];
}

interface Line {
  readonly id: string;
  readonly inFlight: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** calls a second, to the SDK's server alone in the same round */
  readonly ofAlone: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: String(ROUNDS) },
      calls: { type: 'string', default: String(MEMORY_CALLS) },
    },
  });
  if ((await buildApp({ force: false })) !== 0) throw new Error('the app could not be built');
  await build({ configFile: join(ROOT, 'bench', 'page', 'vite.config.ts'), logLevel: 'error' });
  await using resources = new AsyncDisposableStack();
  const kept = <T>(value: T, dispose: (value: T) => Promise<void>) => resources.adopt(value, dispose);
  const alone = kept(await startEchoServer(), (each) => each.stop());
  const other = kept(await startOtherGateway(), (each) => each.stop());
  const relay = kept(await startRelay(), (each) => each.stop());
  const pages = kept(await servePage(join(OUT, 'page')), (each) => each.close());
  const browser = kept(await launchBrowser(), (each) => each.close());
  const { b, ids } = await openPair(browser, pages.origin, relay.invite);
  const tokens = await makeTokens(relay);
  const self = await relayPeer(relay);
  const ours = (make: typeof rest, url: string, place: string) => tokens.map((token) => make({ url, token, place }));
  const restUrl = new URL('api/tools', relay.app).href;
  const kinds: readonly Kind[] = [
    { id: 'alone', title: 'SDK server alone', callers: [statelessMcp(alone)] },
    { id: 'other', title: 'mcp-proxy in front of it', callers: [await sessionMcp(other)] },
    { id: 'mcp-relay', title: "/mcp, the relay's own tool", callers: ours(statelessMcp, relay.mcp, self) },
    {
      id: 'session-relay',
      title: 'the same, in sessions (2025-11-25)',
      callers: await Promise.all(tokens.map((token) => sessionMcp({ url: relay.mcp, token, place: self }))),
    },
    { id: 'mcp-tab', title: '/mcp into a tab', callers: ours(statelessMcp, relay.mcp, ids.a) },
    { id: 'rest-relay', title: "REST, the relay's own tool", callers: ours(rest, restUrl, self) },
    { id: 'rest-tab', title: 'REST into a tab', callers: ours(rest, restUrl, ids.a) },
  ];
  resources.defer(async () => {
    await Promise.all(kinds.flatMap(({ callers }) => callers.map((each) => each.close())));
  });

  const rounds: Line[][] = [];
  const streams: number[] = [];
  for (let i = 0; i < Number(values.rounds); i++) {
    rounds.push(await round(kinds));
    const length = { ms: ROUND_MS, minCalls: WARM_UP_CALLS };
    const { p50Ms } = await b.evaluate(([peer, payload, l]) => bench.measureStream(peer, payload, l), [
      ids.a,
      PAYLOAD,
      length,
    ] as const);
    streams.push(p50Ms);
  }
  const lines = medians(rounds);
  const streamP50Ms = quantile(streams, 0.5);
  const mesh = await b.evaluate(([peer, payload, l]) => bench.measureCall(peer, payload, l), [
    ids.a,
    PAYLOAD,
    { ms: 2 * ROUND_MS, minCalls: WARM_UP_CALLS },
  ] as const);
  console.log(`\ngateway: medians of ${rounds.length} rounds (×: calls/s to the SDK's server alone)\n`);
  print(kinds, lines);
  console.log(`\nlibp2p stream echo, tab to tab     p50 ${streamP50Ms.toFixed(2)} ms`);
  console.log(`tool call over the mesh, tab to tab  ${mesh.perSecondMany.toFixed(0)} calls/s with 32 in flight\n`);

  const memory = await memoryOver(relay, kinds, Number(values.calls));
  console.log(`relay RSS over ${values.calls} calls: ${memory.join(', ')} MB`);
  mkdirSync(OUT, { recursive: true });
  const report = { node: process.version, rounds: rounds.length, lines, streamP50Ms, mesh, memory };
  writeFileSync(join(OUT, 'gateway.json'), `${JSON.stringify(report, null, 2)}\n`);
}

async function round(kinds: readonly Kind[]): Promise<Line[]> {
  const lines: Line[] = [];
  for (const inFlight of IN_FLIGHT) {
    const measured = [];
    for (const kind of kinds) {
      await run(kind, inFlight, { calls: WARM_UP_CALLS });
      measured.push({ kind, ...(await run(kind, inFlight, { ms: ROUND_MS })) });
    }
    const alone = measured.find(({ kind }) => kind.id === 'alone')?.perSecond ?? NaN;
    for (const { kind, perSecond, times } of measured) {
      lines.push({
        id: kind.id,
        inFlight,
        perSecond,
        p50Ms: quantile(times, 0.5),
        p95Ms: quantile(times, 0.95),
        p99Ms: quantile(times, 0.99),
        ofAlone: perSecond / alone,
      });
    }
  }
  return lines;
}

async function run({ callers }: Kind, inFlight: number, until: { readonly ms: number } | { readonly calls: number }) {
  const times: number[] = [];
  const startedAt = performance.now();
  const going = () => ('ms' in until ? performance.now() - startedAt < until.ms : times.length < until.calls);
  const worker = async (n: number): Promise<void> => {
    const caller = callers[n % callers.length];
    while (going()) {
      const askedAt = performance.now();
      const text = `${n} ${askedAt} ${PAYLOAD}`;
      // distinct arguments, and the answer is looked at: nothing may be answered from a cache unseen
      if ((await caller?.echo(text)) !== text) throw new Error('another answer than asked for');
      times.push(performance.now() - askedAt);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, (_, n) => worker(n)));
  return { times, perSecond: (times.length / (performance.now() - startedAt)) * 1000 };
}

function medians(rounds: readonly Line[][]): Line[] {
  return (rounds[0] ?? []).map((first, i) => {
    const same = rounds.map((lines) => lines[i] ?? first);
    const median = (pick: (line: Line) => number) => quantile(same.map(pick), 0.5);
    return {
      id: first.id,
      inFlight: first.inFlight,
      perSecond: median((line) => line.perSecond),
      p50Ms: median((line) => line.p50Ms),
      p95Ms: median((line) => line.p95Ms),
      p99Ms: median((line) => line.p99Ms),
      ofAlone: median((line) => line.ofAlone),
    };
  });
}

function print(kinds: readonly Kind[], lines: readonly Line[]): void {
  console.log(`${'in flight'.padStart(TITLE_CHARS + 10)}  calls/s     ×   p50 ms   p95 ms   p99 ms`);
  for (const { id, inFlight, perSecond, p50Ms, p95Ms, p99Ms, ofAlone } of lines) {
    const title = kinds.find((kind) => kind.id === id)?.title ?? id;
    const cells = [p50Ms, p95Ms, p99Ms].map((ms) => ms.toFixed(2).padStart(8)).join(' ');
    console.log(
      `${title.padEnd(TITLE_CHARS)}${String(inFlight).padStart(10)}  ${perSecond.toFixed(0).padStart(7)}  ${ofAlone.toFixed(2)} ${cells}`,
    );
  }
}

/** @returns the relay's RSS in MB, before and as the calls go on, of all kinds that it serves in turn */
async function memoryOver(relay: BenchRelay, kinds: readonly Kind[], calls: number): Promise<number[]> {
  const served = kinds.filter(({ id }) => id !== 'alone' && id !== 'other');
  const looks = [processUsage(relay.pid).rssMb];
  for (let i = 0; i < MEMORY_LOOKS; i++) {
    for (const kind of served) await run(kind, 32, { calls: Math.ceil(calls / MEMORY_LOOKS / served.length) });
    looks.push(processUsage(relay.pid).rssMb);
  }
  return looks;
}

async function makeTokens(relay: BenchRelay): Promise<string[]> {
  return await Promise.all(
    Array.from({ length: TOKENS }, async (_, i) => {
      const made = (await ask(relay, 'api/tokens', { name: `bench ${i}` })) as { token: string };
      return made.token;
    }),
  );
}

async function relayPeer(relay: BenchRelay): Promise<string> {
  const { peers } = (await ask(relay, 'api/peers')) as { peers: { peer: string; link: string }[] };
  return peers.find(({ link }) => link === 'self')?.peer ?? '';
}

async function ask(relay: BenchRelay, path: string, body?: object): Promise<unknown> {
  const response = await fetch(new URL(path, relay.app), {
    headers: { authorization: `Bearer ${relay.token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(await response.text());
  return await response.json();
}

await main();
