import { join } from 'node:path';
import { TabmeshError } from '../../src/lib/errors.ts';
import { readFileIfThere } from '../data-dir/atomic-file.ts';
import { OWNER_TOKEN_FILE } from '../tokens/tokens.ts';
import type { RoomChoice } from './flags.ts';
import { readRunning } from './running.ts';

/** How a command reaches a room: over HTTP, as any client does. */
export interface RoomAccess {
  readonly mcp: URL;
  /** `…/api/` */
  readonly api: URL;
  readonly token: string;
  /** whole link to the room, where this machine knows it */
  readonly invite: string | null;
  close(): Promise<void>;
}

/** Starts a peer of our own that joins by an invite. */
export type StartGuest = (invite: string, dataDir: string) => Promise<RoomAccess>;

/**
 * Finds the room that a command is about.
 * @throws `not_found` when no relay runs here, `corrupt`, and what `startGuest` throws
 */
export async function reachRoom(choice: RoomChoice, startGuest: StartGuest): Promise<RoomAccess> {
  switch (choice.kind) {
    case 'invite':
      return await startGuest(choice.invite, choice.dataDir);
    case 'relay':
      return at(choice.url, choice.token, null);
    default: {
      const running = await readRunning(choice.dataDir);
      const token = (await readFileIfThere(join(choice.dataDir, OWNER_TOKEN_FILE)))?.trim();
      if (running === undefined || token === undefined || token === '') {
        throw new TabmeshError('not_found', `no relay runs with the data folder ${choice.dataDir}`, {
          hint: 'Start one with "npm start", name another folder with --data, a relay elsewhere with --relay, or join a room with --invite.',
        });
      }
      return at(new URL(running.app), token, running.invite);
    }
  }
}

function at(base: URL, token: string, invite: string | null): RoomAccess {
  // somebody may have given the URL of /mcp, which is the one that clients are told
  const root = new URL(base.pathname.replace(/\/mcp\/?$/, '/').replace(/(?<!\/)$/, '/'), base);
  return { mcp: new URL('mcp', root), api: new URL('api/', root), token, invite, close: () => Promise.resolve() };
}
