import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const ECHO = join(import.meta.dirname, 'echo-server.ts');
const PROXY = join(import.meta.dirname, '../../node_modules/mcp-proxy/dist/bin/mcp-proxy.mjs');
const START_MS = 30_000;
const LOOK_AGAIN_MS = 100;

/** A server in a process of its own. */
export interface Subject {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** The SDK's own server, alone. */
export async function startEchoServer(): Promise<Subject> {
  const child = spawn(process.execPath, [ECHO], { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout, signal: AbortSignal.timeout(START_MS) })) {
    return { url: line, pid: child.pid ?? 0, stop: () => end(child) };
  }
  throw new Error('the server did not start');
}

/** `mcp-proxy` from npm, the most used gateway in TypeScript, in front of the same server. */
export async function startOtherGateway(): Promise<Subject> {
  const port = await freePort();
  const child = spawn(
    process.execPath,
    [
      PROXY,
      '--host',
      '127.0.0.1',
      '--port',
      String(port),
      '--server',
      'stream',
      '--',
      process.execPath,
      ECHO,
      '--stdio',
    ],
    { stdio: 'ignore' },
  );
  const url = `http://127.0.0.1:${port}/mcp`;
  const giveUp = performance.now() + START_MS;
  while ((await fetch(url).catch(() => null)) === null) {
    if (performance.now() > giveUp) throw new Error('mcp-proxy did not start');
    await sleep(LOOK_AGAIN_MS);
  }
  return { url, pid: child.pid ?? 0, stop: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.kill()) await once(child, 'exit');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
