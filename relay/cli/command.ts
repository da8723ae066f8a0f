import type { Log } from '../../src/lib/log.ts';
import type { Flags } from './flags.ts';
import type { RoomAccess } from './room-access.ts';

/** What a command may use. */
export interface CommandContext {
  readonly flags: Flags;
  /** the room that the flags name; closed when the command ends */
  readonly room: RoomAccess;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** somebody watches stderr */
  readonly interactive: boolean;
  readonly log: Log;
  /** fires when the process is told to stop */
  readonly stop: AbortSignal;
}

/** Does what a command says. @returns the exit code. @throws TabmeshError */
export type RunCommand = (context: CommandContext) => Promise<number>;
