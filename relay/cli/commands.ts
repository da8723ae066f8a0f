import { TabmeshError, toTabmeshError } from '../../src/lib/errors.ts';
import type { Log } from '../../src/lib/log.ts';
import { runCall } from './call-command.ts';
import type { RunCommand } from './command.ts';
import { runDoctor } from './doctor-command.ts';
import { readFlags, ROOM_FLAGS_HELP } from './flags.ts';
import { ROOM_COMMANDS, type CommandForm, type RoomCommandName } from './forms.ts';
import type { GuestOptions } from './guest.ts';
import { reachRoom } from './room-access.ts';
import { runRoom } from './room-command.ts';
import { runTools } from './tools-command.ts';

const RUN: Readonly<Record<RoomCommandName, RunCommand>> = {
  room: runRoom,
  tools: runTools,
  call: runCall,
  doctor: runDoctor,
  mcp: async (context) => (await import('./mcp-command.ts')).runMcp(context),
};

export interface CommandLine extends Omit<GuestOptions, 'signal'> {
  /** what follows the command's name */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** a person watches stderr */
  readonly interactive: boolean;
  /** fires when the process is told to stop */
  readonly stop: AbortSignal;
  readonly log: Log;
}

/**
 * Runs a command about a room.
 * @returns the exit code: 0 when it did what was asked
 * @throws TabmeshError with a message of one line
 */
export async function runRoomCommand(name: RoomCommandName, line: CommandLine): Promise<number> {
  const { usage, help, flags: own, words }: CommandForm = ROOM_COMMANDS[name];
  if (line.args.includes('--help')) {
    line.stdout(`tabmesh ${usage}\n\n${help}\n\n${ROOM_FLAGS_HELP}\n`);
    return 0;
  }
  const flags = readFlags(line.args, line.env, usage, own);
  const [least, most] = words;
  if (flags.words.length < least || flags.words.length > most) {
    throw new TabmeshError('invalid_input', `the command is: tabmesh ${usage}`);
  }
  const { stdout, stderr, interactive, stop, log } = line;
  const room = await reachRoom(flags.room, async (invite, dataDir) => {
    const { guestStarter } = await import('./guest.ts');
    return await guestStarter({ ...line, signal: stop })(invite, dataDir);
  });
  try {
    return await RUN[name]({ flags, room, stdout, stderr, interactive, log, stop });
  } finally {
    await room.close().catch((error: unknown) => {
      log.error('did not stop cleanly', { error: toTabmeshError(error).message });
    });
  }
}
