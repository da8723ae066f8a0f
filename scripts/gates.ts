// `npm run lint`: runs npm scripts, prints what each says when it has ended, and fails when one does.
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { mapBounded } from '../src/lib/semaphore.ts';

interface Outcome {
  readonly script: string;
  readonly passed: boolean;
  readonly seconds: number;
}

/** Each gate is one busy process; more of them than this only makes all of them slower on a small machine. */
const MAX_AT_ONCE = 4;

async function runGate(script: string): Promise<Outcome> {
  const began = performance.now();
  const child = spawn('npm', ['run', '--silent', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => said.push(bytes));
  const passed = await new Promise<boolean>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      resolve(code === 0);
    });
  });
  const seconds = (performance.now() - began) / 1000;
  process.stdout.write(`${passed ? '✓' : '✗'} ${script} (${seconds.toFixed(1)} s)\n`);
  if (!passed) process.stdout.write(Buffer.concat(said));
  return { script, passed, seconds };
}

const scripts = process.argv.slice(2);
const outcomes = await mapBounded(scripts, Math.min(MAX_AT_ONCE, availableParallelism()), runGate);
const failed = outcomes.filter(({ passed }) => !passed).map(({ script }) => script);
if (failed.length > 0) {
  console.error(`failed: ${failed.join(', ')}`);
  process.exitCode = 1;
}
