import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { relayProgram } from '../../scripts/relay-program.ts';
import { ended } from './exit.ts';

/** The line that `--json` prints. */
export interface RelayLine {
  readonly app: string;
  readonly mcp: string;
  readonly rest: string;
  readonly token: string;
  /** null for a relay without a room */
  readonly invite: string | null;
  readonly room: string | null;
  readonly peerId: string;
  readonly multiaddrs: readonly string[];
}

/** A relay starts in about a second; a loaded machine may need much longer. */
const START_MS = 30_000;
/** The relay gives up on an orderly stop after 10 s itself. */
const STOP_MS = 15_000;

/** Compiling itself is half of a relay's start, and every test starts one. */
const NODE_COMPILE_CACHE = '.cache/node';

/** One run of the relay's program, from start to exit. */
export interface RelayProcess {
  readonly line: RelayLine;
  /** all that it has written to standard error */
  log(): string;
  /** Ends it as Ctrl-C does. @throws unless it exits with code 0 in time */
  stop(): Promise<void>;
  /** Ends it as a power cut does. */
  kill(): Promise<void>;
}

/**
 * Runs the relay's program and waits for its line.
 * @param args of the command line, besides `--json`
 * @param app folder of another build than `dist/app`
 * @throws with what it said, when it ends or stays silent
 */
export async function runRelay(args: readonly string[], app?: string): Promise<RelayProcess> {
  const program = app === undefined ? relayProgram() : 'e2e/support/relay-with-app.ts';
  const child = spawn(process.execPath, [program, '--json', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_COMPILE_CACHE, ...(app === undefined ? {} : { E2E_APP_FOLDER: app }) },
  });
  const said: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
  const log = (): string => said.join('');
  try {
    const line = await firstLine(child);
    return {
      line: JSON.parse(line) as RelayLine,
      log,
      async stop() {
        child.kill('SIGINT');
        const { code, signal } = await ended(child, STOP_MS);
        if (code !== 0) throw new Error(`the relay ended with ${code ?? signal}, not with 0. It said:\n${log()}`);
      },
      async kill() {
        child.kill('SIGKILL');
        await ended(child, STOP_MS);
      },
    };
  } catch (error) {
    child.kill('SIGKILL');
    throw new Error(`the relay did not start. It said:\n${log()}`, { cause: error });
  }
}

async function firstLine(child: ChildProcessByStdio<null, Readable, Readable>): Promise<string> {
  const lines = createInterface({ input: child.stdout, signal: AbortSignal.timeout(START_MS) });
  for await (const line of lines) {
    // whatever it prints from now on must not block it
    child.stdout.resume();
    return line;
  }
  throw new Error(`no line on standard output; exit code ${String(child.exitCode)}`);
}
