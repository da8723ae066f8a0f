import { randomUUID } from 'node:crypto';
import { link, mkdir, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock, type Clock } from '../../src/lib/clock.ts';
import { TabmeshError } from '../../src/lib/errors.ts';
import { isErrno, readFileIfThere } from './atomic-file.ts';
import { lookUpProcess } from './process-start.ts';

/** Taking over a stale lock takes a few file operations; whoever holds the right to it longer has died on the way. */
const TAKEOVER_MS = 5_000;
const RETRY_MS = 50;

/** Who holds the lock. */
interface Holder {
  readonly pid: number;
  readonly start: string | null;
}

export interface DataDirLock {
  /** gives the folder free; harmless when called again */
  release(): Promise<void>;
}

/**
 * Makes this process the only one that uses the folder. A lock whose process has ended, or whose process id belongs to
 * another process by now, is taken over.
 * @throws `conflict` while another process uses the folder, the file system's error
 */
export async function lockDataDir(folder: string, clock: Clock = systemClock): Promise<DataDirLock> {
  const path = join(folder, 'lock');
  const mine = JSON.stringify({ pid: process.pid, start: (await lookUpProcess(process.pid)).start } satisfies Holder);
  while (!(await claim(path, mine))) {
    const text = await readFileIfThere(path);
    if (text === undefined) continue;
    const holder = parseHolder(text);
    if (holder !== undefined && (await isAlive(holder))) {
      throw new TabmeshError(
        'conflict',
        `${folder} is in use by another Tabmesh relay (process ${String(holder.pid)}); stop it, or choose another folder with --data`,
      );
    }
    await removeStale(path, text, clock);
  }
  let held = true;
  return {
    async release() {
      if (!held) return;
      held = false;
      await rm(path, { force: true });
    },
  };
}

/** Creates the lock with its content in one step, so that nobody ever reads a half-written one. */
async function claim(path: string, content: string): Promise<boolean> {
  const temporary = `${path}.${randomUUID()}`;
  await writeFile(temporary, content, { flag: 'wx', mode: 0o600 });
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

function parseHolder(text: string): Holder | undefined {
  try {
    const value = JSON.parse(text) as Partial<Holder> | null;
    if (typeof value?.pid !== 'number' || !Number.isInteger(value.pid) || value.pid < 1) return undefined;
    return { pid: value.pid, start: typeof value.start === 'string' ? value.start : null };
  } catch {
    // not ours, or damaged: nobody can be holding it
    return undefined;
  }
}

async function isAlive(holder: Holder): Promise<boolean> {
  const now = await lookUpProcess(holder.pid);
  if (!now.running) return false;
  return holder.start === null || now.start === null || holder.start === now.start;
}

/**
 * Removes the lock if it still is the stale one that was read. One process at a time may do so: else two that both read
 * the stale lock could each remove the other's fresh one.
 */
async function removeStale(path: string, stale: string, clock: Clock): Promise<void> {
  const turn = `${path}.takeover`;
  try {
    await mkdir(turn);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
    const began = await stat(turn).catch(() => null);
    if (began !== null && Date.now() - began.mtimeMs > TAKEOVER_MS) await rmdir(turn).catch(() => undefined);
    await clock.sleep(RETRY_MS);
    return;
  }
  try {
    if ((await readFileIfThere(path)) === stale) await rm(path, { force: true });
  } finally {
    await rmdir(turn);
  }
}
