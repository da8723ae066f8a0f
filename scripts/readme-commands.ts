// Runs the commands that README.md promises: its fenced blocks marked ```sh ci, each in a bash of its own. A block that
// starts the relay is left running until the app answers, then stopped as by Ctrl-C.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './process.ts';

const BLOCK = /^```sh ci\n([\s\S]*?)^```$/gm;
const STARTS_RELAY = /^(?!#).*\bnpm start\b/m;
const APP_URL = /\bApp\s+(https?:\/\/\S+)/;
/** `npm start` may build first, and the block may install. */
const START_MS = 5 * 60 * 1000;

/** Runs one block; @returns its exit code, or what an orderly stop left. */
async function runBlock(block: string): Promise<number> {
  console.log(block.trimEnd().replaceAll(/^/gm, '$ '));
  return STARTS_RELAY.test(block) ? startAndStop(block) : run('bash', ['-euo', 'pipefail', '-c', block]);
}

async function startAndStop(block: string): Promise<number> {
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
      interrupt();
      const code = await closed;
      return answer.ok ? code : 1;
    }
    return (await closed) || 1;
  } finally {
    interrupt();
    await rm(data, { recursive: true, force: true });
  }
}

const blocks = [...(await readFile('README.md', 'utf8')).matchAll(BLOCK)].map((match) => match[1] ?? '');
if (blocks.length === 0) throw new Error('README.md has no block marked ```sh ci');
const late = setTimeout(() => {
  console.error(`README.md: a block ran for more than ${START_MS * blocks.length} ms`);
  process.exit(1);
}, START_MS * blocks.length);
for (const block of blocks) {
  const code = await runBlock(block);
  if (code !== 0) {
    console.error(`README.md: exit code ${code}`);
    process.exit(1);
  }
}
clearTimeout(late);
console.log(`README.md: ${blocks.length} blocks work`);
