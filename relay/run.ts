import { toTabmeshError } from '../src/lib/errors.ts';
import { lineLog } from '../src/lib/log.ts';
import { runAccessCommand } from './access/command.ts';
import { humanLines, insecureWarning, jsonLine } from './announce.ts';
import { helpText } from './config/help.ts';
import { parseConfig } from './config/parse.ts';
import type { StartRelayPeers } from './peers.ts';
import { startRelay, type Relay } from './start.ts';

/** Longer than any orderly stop takes; then something hangs, and waiting helps nobody. */
const STOP_MS = 10_000;

/** The process that the relay runs in. */
export interface Surroundings {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** fires when the process is told to stop */
  readonly stop: AbortSignal;
  readonly startRelayPeers: StartRelayPeers;
  /** absolute path of the built app */
  readonly appFolder: string;
}

/**
 * Runs a relay from the command line to its end.
 * @returns the exit code: 0 after an orderly stop or `--help`, 1 after one clear line on stderr
 */
export async function runRelay(around: Surroundings): Promise<number> {
  const { stdout, stderr, stop, startRelayPeers, appFolder } = around;
  const log = lineLog((line) => stderr(`${line}\n`), 'tabmesh', ['info', 'warn', 'error']);
  let relay: Relay;
  try {
    const [command, ...rest] = around.args;
    if (command === 'access') {
      stdout(await runAccessCommand(rest, around.env));
      return 0;
    }
    const config = parseConfig(around.args, around.env);
    if (config === 'help') {
      stdout(helpText());
      return 0;
    }
    relay = await startRelay({ config, startRelayPeers, appFolder, log, signal: stop });
    const warning = insecureWarning(relay);
    if (warning !== undefined) stderr(`${warning}\n`);
    stdout(config.json ? `${jsonLine(relay)}\n` : humanLines(relay).join('\n'));
  } catch (error) {
    // told to stop while starting: that is an orderly stop, too
    if (stop.aborted) return 0;
    const { message, hint } = toTabmeshError(error);
    stderr(`tabmesh: ${hint === null ? message : `${message} ${hint}`}\n`);
    return 1;
  }
  if (!stop.aborted) await new Promise((resolve) => stop.addEventListener('abort', resolve, { once: true }));
  if (await within(relay.close(), STOP_MS)) return 0;
  stderr('tabmesh: the relay did not stop in time and was ended\n');
  return 1;
}

async function within(work: Promise<void>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => {
      resolve(false);
    }, ms);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
