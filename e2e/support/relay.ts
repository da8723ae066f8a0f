import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runRelay, type RelayLine, type RelayProcess } from './relay-process.ts';

/** A relay on a data folder of its own, which can be stopped and started again as the same one. */
export interface TestRelay {
  /** what it printed at its last start */
  readonly line: RelayLine;
  readonly dataFolder: string;
  /** the standard error of all its runs */
  log(): string;
  /** Ends it as Ctrl-C does. @throws unless it exits with code 0 */
  stop(): Promise<void>;
  /** Ends it as a power cut does: its lock stays behind. */
  kill(): Promise<void>;
  /**
   * Starts it again after `stop` or `kill`: same port, same folder.
   * @param app folder of another build of the app, to be served from now on
   */
  restart(app?: string): Promise<void>;
  /** Stops it if it runs, and deletes its folder. */
  dispose(): Promise<void>;
}

/**
 * Starts a relay on a free port of loopback.
 * @param args more arguments, such as `--demo` or `--upstream pubmed=http://127.0.0.1:1234`
 */
export async function startRelay(args: readonly string[]): Promise<TestRelay> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'tabmesh-e2e-'));
  const start = (port: string, app?: string): Promise<RelayProcess> =>
    runRelay(['--data', dataFolder, '--port', port, ...args], app);
  let latest = await start('0');
  let running: RelayProcess | undefined = latest;
  let earlier = '';
  const end = async (how: 'stop' | 'kill'): Promise<void> => {
    const ending = running;
    running = undefined;
    await ending?.[how]();
  };
  return {
    get line() {
      return latest.line;
    },
    dataFolder,
    log: () => earlier + latest.log(),
    stop: () => end('stop'),
    kill: () => end('kill'),
    async restart(app) {
      if (running !== undefined) throw new Error('the relay is running');
      earlier += latest.log();
      latest = await start(new URL(latest.line.app).port, app);
      running = latest;
    },
    async dispose() {
      try {
        await end('stop');
      } finally {
        await rm(dataFolder, { recursive: true, force: true });
      }
    },
  };
}
