// Runs the commands that README.md promises: its fenced blocks marked ```sh ci, each in a bash of its own. A block that
// starts the relay is left running until the app answers, and until the blocks after it that are marked ```sh ci relay have
// asked that relay; then it is stopped as by Ctrl-C.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './process.ts';

const BLOCK = /^```sh ci( relay)?\n([\s\S]*?)^```$/gm;
const STARTS_RELAY = /^(?!#).*\bnpm start\b/m;
/** Where README.md says that the relay is. */
const USUAL_URL = 'http://127.0.0.1:8787/';
const APP_URL = /\bApp\s+(https?:\/\/\S+)/;
/** `npm start` may build first, and the block may install. */
const START_MS = 5 * 60 * 1000;

/** A block, and those that ask the relay that it starts. */
interface Step {
  readonly block: string;
  readonly asking: string[];
}

/** Runs one block and those that belong to it; @returns the exit code, or what an orderly stop left. */
async function runStep({ block, asking }: Step): Promise<number> {
  show(block);
  return STARTS_RELAY.test(block) ? startAndStop(block, asking) : run('bash', ['-euo', 'pipefail', '-c', block]);
}

function show(block: string): void {
  console.log(block.trimEnd().replaceAll(/^/gm, '$ '));
}

/** Runs a block that asks the relay at `url`, which has its data in `data`. @returns its exit code */
async function ask(block: string, url: string, data: string): Promise<number> {
  show(block);
  const token = (await readFile(join(data, 'owner-token'), 'utf8')).trim();
  const asked = block.replaceAll(USUAL_URL, url);
  return await run('env', [`TABMESH_DATA=${data}`, `TOKEN=${token}`, 'bash', '-euo', 'pipefail', '-c', asked]);
}

async function startAndStop(block: string, asking: readonly string[]): Promise<number> {
  const data = await mkdtemp(join(tmpdir(), 'tabmesh-readme-'));
  // a group of its own, so that the signal reaches all of it, as a terminal's does
  const child = spawn('bash', ['-euo', 'pipefail', '-c', block], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
    // any free port, and no trace in the checkout
    env: { ...process.env, TABMESH_PORT: '0', TABMESH_DATA: data },
  });
  const closed = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      resolve(code ?? 1);
    });
  });
  const interrupt = (): void => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, 'SIGINT');
  };
  try {
    let said = '';
    for await (const text of child.stdout.setEncoding('utf8') as AsyncIterable<string>) {
      process.stdout.write(text);
      said += text;
      const url = APP_URL.exec(said)?.[1];
      if (url === undefined) continue;
      const answer = await fetch(url, { signal: AbortSignal.timeout(START_MS) });
      console.log(`${url} answers ${answer.status}`);
      child.stdout.resume();
      let asked = answer.ok ? 0 : 1;
      for (const each of asking) asked ||= await ask(each, url, data);
      interrupt();
      return asked || (await closed);
    }
    return (await closed) || 1;
  } finally {
    interrupt();
    await rm(data, { recursive: true, force: true });
  }
}

const steps: Step[] = [];
for (const [, relay, block = ''] of (await readFile('README.md', 'utf8')).matchAll(BLOCK)) {
  const last = steps.at(-1);
  if (relay === undefined) steps.push({ block, asking: [] });
  else if (last !== undefined) last.asking.push(block);
}
if (steps.length === 0) throw new Error('README.md has no block marked ```sh ci');
const late = setTimeout(() => {
  console.error(`README.md: a block ran for more than ${START_MS * steps.length} ms`);
  process.exit(1);
}, START_MS * steps.length);
for (const step of steps) {
  const code = await runStep(step);
  if (code !== 0) {
    console.error(`README.md: exit code ${code}`);
    process.exit(1);
  }
}
clearTimeout(late);
console.log(`README.md: ${steps.reduce((sum, { asking }) => sum + 1 + asking.length, 0)} blocks work`);
