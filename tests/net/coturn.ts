import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ADDRESSES, INTERNET, inside } from './network.ts';

const START_MS = 20_000;

/** Debian's coturn with the configuration of `docs/turn.md`. */
export interface Coturn {
  readonly stun: readonly [string, string];
  readonly turn: string;
  readonly secretFile: string;
  log(): string;
  stop(): Promise<void>;
}

/** Starts coturn on the tests' internet. @param folder for its files */
export async function startCoturn(folder: string): Promise<Coturn> {
  const secret = randomBytes(32).toString('hex');
  const secretFile = join(folder, 'turn-secret');
  const configFile = join(folder, 'turnserver.conf');
  await writeFile(secretFile, `${secret}\n`, { mode: 0o600 });
  await writeFile(configFile, await documented(secret), { mode: 0o600 });
  const [command = 'ip', ...rest] = inside(INTERNET);
  // verbose: what is asserted of it is in its log
  const flags = ['-c', configFile, '--log-file', 'stdout', '--verbose', '--pidfile', join(folder, 'turn.pid')];
  const child = spawn(command, [...rest, 'turnserver', ...flags]);
  let log = '';
  child.stdout.on('data', (chunk) => (log += String(chunk)));
  child.stderr.on('data', (chunk) => (log += String(chunk)));
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      resolve();
    });
  });
  const since = Date.now();
  while (!new RegExp(`IPv4\\. UDP listener opened on: ${ADDRESSES.stun2}:3478`).test(log)) {
    if (child.exitCode !== null || Date.now() - since > START_MS) throw new Error(`coturn does not start: ${log}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    stun: [`stun:${ADDRESSES.stun}:3478`, `stun:${ADDRESSES.stun2}:3478`],
    turn: `turn:${ADDRESSES.stun}:3478`,
    secretFile,
    log: () => log,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** The configuration that people are told to use, with the tests' addresses and secret. */
async function documented(secret: string): Promise<string> {
  const text = await readFile(new URL('../../docs/turn.md', import.meta.url), 'utf8');
  const config = /```conf\n(.*?)```/s.exec(text)?.[1];
  if (config === undefined) throw new Error('docs/turn.md holds no configuration');
  return config
    .replace('listening-ip=203.0.113.5', `listening-ip=${ADDRESSES.stun}\nlistening-ip=${ADDRESSES.stun2}`)
    .replace('203.0.113.5', ADDRESSES.stun)
    .replace('REPLACE_ME', secret);
}
