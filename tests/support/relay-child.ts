import { spawn } from 'node:child_process';
import { relayProgram } from '../../scripts/relay-program.ts';

/** What a relay prints with `--json`. */
export interface Announced {
  readonly app: string;
  readonly mcp: string;
  readonly token: string;
  readonly invite: string | null;
  readonly peerId: string;
  readonly multiaddrs: readonly string[];
}

/** A relay in a process of its own, as people run it. */
export interface RelayChild {
  readonly announced: Announced;
  /** what it has logged so far */
  log(): string;
  stop(): Promise<void>;
}

/**
 * Starts a {@link RelayChild}.
 * @param args of the command line
 * @param prefix what to run it in, e.g. `['ip', 'netns', 'exec', 'relay']`
 * @throws when it ends before it serves
 */
export async function startRelayChild(args: readonly string[], prefix: readonly string[] = []): Promise<RelayChild> {
  const [command = process.execPath, ...rest] = [...prefix, process.execPath, relayProgram(), '--json', ...args];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      resolve();
    });
  });
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      stdout += String(chunk);
      if (stdout.includes('\n')) resolve(stdout);
    });
    void ended.then(() => {
      reject(new Error(`the relay ended: ${stdout}${stderr}`));
    });
  });
  return {
    announced: JSON.parse(line) as Announced,
    log: () => stderr,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
