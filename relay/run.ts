import { TabmeshError, toTabmeshError } from '../src/lib/errors.ts';
import { lineLog } from '../src/lib/log.ts';
import { isRoomCommand, ROOM_COMMANDS } from './cli/forms.ts';
import { tellRunning, tellStopped } from './cli/running.ts';
import { humanLines, insecureWarning, jsonLine } from './announce.ts';
import { helpText } from './config/help.ts';
import { parseConfig } from './config/parse.ts';
import type { StartRelayPeers } from './peers.ts';
import type { Relay } from './start.ts';

const quietLog = (stderr: Surroundings['stderr']) =>
  lineLog((line) => stderr(`${line}\n`), 'tabmesh', ['warn', 'error']);

/** Longer than any orderly stop takes; then something hangs, and waiting helps nobody. */
const STOP_MS = 10_000;

/** The process that the relay runs in. */
export interface Surroundings {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** a person watches stderr */
  readonly interactive: boolean;
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
  let dataDir: string;
  try {
    const [command, ...rest] = around.args;
    if (command === 'access') {
      const { runAccessCommand } = await import('./access/command.ts');
      stdout(await runAccessCommand(rest, around.env));
      return 0;
    }
    if (command === 'token') {
      const { runTokenCommand } = await import('./tokens/command.ts');
      stdout(await runTokenCommand(rest, around.env));
      return 0;
    }
    if (isRoomCommand(command)) {
      // stdout belongs to what was asked for, stderr to what is wrong
      const { runRoomCommand } = await import('./cli/commands.ts');
      return await runRoomCommand(command, { ...around, args: rest, log: quietLog(stderr) });
    }
    if (command !== undefined && command !== 'start' && !command.startsWith('-')) throw unknownCommand(command);
    const config = parseConfig(command === 'start' ? rest : around.args, around.env);
    if (config === 'help') {
      stdout(helpText());
      return 0;
    }
    const { startRelay } = await import('./start.ts');
    relay = await startRelay({ config, startRelayPeers, appFolder, log, signal: stop });
    const { urls, peers } = relay;
    dataDir = config.dataDir;
    await tellRunning(dataDir, { ...urls, invite: peers.invite });
    const warning = insecureWarning(relay);
    if (warning !== undefined) stderr(`${warning}\n`);
    stdout(config.json ? `${jsonLine(relay)}\n` : humanLines(relay).join('\n'));
  } catch (error) {
    // told to stop while starting: that is an orderly stop, too
    if (stop.aborted) return 0;
    const { message, hint } = toTabmeshError(error);
    stderr(`tabmesh: ${sentence(message)}${hint === null ? '' : ` ${hint}`}\n`);
    return 1;
  }
  if (!stop.aborted) await new Promise((resolve) => stop.addEventListener('abort', resolve, { once: true }));
  const stopping = Promise.all([relay.close(), tellStopped(dataDir)]);
  if (await within(stopping, STOP_MS)) return 0;
  stderr('tabmesh: the relay did not stop in time and was ended\n');
  return 1;
}

async function within(work: Promise<unknown>, ms: number): Promise<boolean> {
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

function unknownCommand(name: string): TabmeshError {
  const known = ['start', ...Object.keys(ROOM_COMMANDS), 'token', 'access'];
  return new TabmeshError('invalid_input', `there is no command "${name}"`, {
    hint: `The commands are ${known.join(', ')}; --help says more.`,
  });
}

/** With a full stop, so that the hint can follow. */
function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
