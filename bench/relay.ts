/**
 * What a relay costs with many peers: `node bench/relay.ts [--peers 100,300,1000]`. Real peers in processes of their own
 * hold a reservation each and are listed in rooms of twenty; then they are idle; then one peer a second comes in.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startRelay } from './mesh/relay.ts';
import { startPeers, type PeerProcess } from './relay/peer-process.ts';
import { processUsage, type Usage } from './relay/process-usage.ts';

const OUT = join(import.meta.dirname, 'out');
const SIZES = [100, 300, 1_000];
const ROOM_SIZE = 20;
/** One process of Node carries so many peers without its event loop becoming what is measured. */
const PEERS_PER_PROCESS = 250;
/** Long enough for connections to have been kept alive a few times. */
const IDLE_MS = 20_000;
const INTRODUCTIONS = 30;
const INTRODUCTION_INTERVAL_MS = 1_000;

interface Line {
  readonly peers: number;
  readonly idleRssMb: number;
  readonly busyRssMb: number;
  readonly idleCpuPercent: number;
  readonly busyCpuPercent: number;
  readonly introductionP50Ms: number;
  readonly introductionP95Ms: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { peers: { type: 'string', default: SIZES.join(',') } } });
  const lines: Line[] = [];
  for (const size of values.peers.split(',').map(Number)) {
    const line = await measure(size);
    console.log(JSON.stringify(line));
    lines.push(line);
  }
  console.log(`\nrelay: rooms of ${ROOM_SIZE}, ${IDLE_MS / 1000} s idle, then one introduction a second\n`);
  console.table(lines);
  mkdirSync(OUT, { recursive: true });
  writeFileSync(join(OUT, 'relay.json'), `${JSON.stringify({ node: process.version, lines }, null, 2)}\n`);
}

async function measure(size: number): Promise<Line> {
  await using resources = new AsyncDisposableStack();
  const relay = resources.adopt(await startRelay(), (each) => each.stop());
  const processes: PeerProcess[] = [];
  for (let from = 0; from < size; from += PEERS_PER_PROCESS) {
    const rooms = Array.from({ length: Math.min(PEERS_PER_PROCESS, size - from) }, (_, i) => roomOf(from + i));
    const address = `127.0.0.${String(2 + processes.length)}`;
    processes.push(resources.adopt(await startPeers(relay.invite, rooms, address), (each) => each.stop()));
  }

  const atRest = processUsage(relay.pid);
  await sleep(IDLE_MS);
  const idle = processUsage(relay.pid);

  const newcomers = resources.adopt(await startPeers(relay.invite, [], '127.0.0.1'), (each) => each.stop());
  const took: number[] = [];
  const before = processUsage(relay.pid);
  for (let i = 0; i < INTRODUCTIONS; i++) {
    const [ms] = await Promise.all([
      newcomers.introduce(roomOf((i * ROOM_SIZE) % size)),
      sleep(INTRODUCTION_INTERVAL_MS),
    ]);
    took.push(ms);
  }
  const after = processUsage(relay.pid);
  took.sort((a, b) => a - b);
  return {
    peers: size,
    idleRssMb: idle.rssMb,
    busyRssMb: after.rssMb,
    idleCpuPercent: cpuPercent(atRest, idle),
    busyCpuPercent: cpuPercent(before, after),
    introductionP50Ms: Math.round(quantile(took, 0.5)),
    introductionP95Ms: Math.round(quantile(took, 0.95)),
  };
}

const roomOf = (peer: number) => Math.floor(peer / ROOM_SIZE);

const cpuPercent = (from: Usage, to: Usage) =>
  Math.round((1_000 * (to.cpuMs - from.cpuMs)) / (to.atMs - from.atMs)) / 10;

const quantile = (sorted: readonly number[], q: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;

await main();
