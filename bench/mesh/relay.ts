import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { buildRelay } from '../../scripts/build-relay.ts';
import { relayProgram } from '../../scripts/relay-program.ts';

/** Starting takes about a second; a loaded machine may need much longer. */
const START_MS = 30_000;

/** As `npm start` has it. */
const YOUNG_HEAP = '--max-semi-space-size=8';

/** A relay process of the bench's own, with a room and nobody in it. */
export interface BenchRelay {
  readonly app: string;
  readonly mcp: string;
  readonly token: string;
  readonly invite: string;
  readonly peerId: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts the relay's program on a free port and a fresh data folder. @throws when it prints no line in time */
export async function startRelay(): Promise<BenchRelay> {
  if ((await buildRelay({ force: false })) !== 0) throw new Error('the relay could not be built');
  const data = await mkdtemp(join(tmpdir(), 'tabmesh-bench-'));
  const profile = process.env['BENCH_PROFILE'];
  const inspect = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const child = spawn(
    process.execPath,
    [...inspect, YOUNG_HEAP, relayProgram(), '--demo', '--json', '--port', '0', '--data', data],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.kill('SIGINT')) await once(child, 'exit');
    await rm(data, { recursive: true, force: true });
  };
  try {
    for await (const line of createInterface({ input: child.stdout, signal: AbortSignal.timeout(START_MS) })) {
      child.stdout.resume();
      return { ...(JSON.parse(line) as Omit<BenchRelay, 'stop' | 'pid'>), pid: child.pid ?? 0, stop };
    }
    throw new Error('the relay ended before it was ready');
  } catch (error) {
    await stop();
    throw error;
  }
}
