import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TabmeshError } from '../../src/lib/errors.ts';
import { readFileIfThere, writeFileAtomic } from '../data-dir/atomic-file.ts';

const FILE = 'running.json';

/** Where a relay that runs is to be found; in its data folder, for commands on the same machine. */
export interface Running {
  /** absolute URLs */
  readonly mcp: string;
  readonly rest: string;
  readonly app: string;
  /** whole link to its room; null when it is a member of none */
  readonly invite: string | null;
}

/** Leaves word of a relay that has just started. @throws the file system's error */
export async function tellRunning(dataDir: string, { mcp, rest, app, invite }: Running): Promise<void> {
  await writeFileAtomic(join(dataDir, FILE), `${JSON.stringify({ mcp, rest, app, invite })}\n`);
}

/** Takes it back when the relay stops. One that was killed leaves it: then nobody answers there. */
export async function tellStopped(dataDir: string): Promise<void> {
  await rm(join(dataDir, FILE), { force: true });
}

/** The relay that uses this data folder, as it has said at its start; undefined when none runs. @throws `corrupt` */
export async function readRunning(dataDir: string): Promise<Running | undefined> {
  const text = await readFileIfThere(join(dataDir, FILE));
  if (text === undefined) return undefined;
  try {
    const { mcp, rest, app, invite } = JSON.parse(text) as Record<keyof Running, unknown>;
    if (typeof mcp === 'string' && typeof rest === 'string' && typeof app === 'string') {
      return { mcp, rest, app, invite: typeof invite === 'string' ? invite : null };
    }
  } catch {
    // told below
  }
  throw new TabmeshError('corrupt', `${join(dataDir, FILE)} does not say where the relay is`, {
    hint: 'Start the relay again.',
  });
}
