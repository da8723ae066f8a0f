import { mkdir } from 'node:fs/promises';
import type { Clock } from '../../src/lib/clock.ts';
import { TabmeshError } from '../../src/lib/errors.ts';
import { lockDataDir } from './lock.ts';

const FOLDER_MODE = 0o700;
/** A change takes a few file operations; another command, or the relay as it starts, is in the way for as long. */
const WAIT_MS = 5_000;
const RETRY_MS = 50;

/**
 * Does something as the only process that has this folder: commands run beside the relay.
 * @param folder absolute; made when missing
 * @throws what `work` throws; `conflict` when another process holds on to the folder; the file system's error
 */
export async function withFolderLock<T>(folder: string, clock: Clock, work: () => Promise<T>): Promise<T> {
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  const lock = await waitForLock(folder, clock);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

async function waitForLock(folder: string, clock: Clock): ReturnType<typeof lockDataDir> {
  const until = clock.now() + WAIT_MS;
  for (;;) {
    try {
      return await lockDataDir(folder, clock);
    } catch (error) {
      const taken = error instanceof TabmeshError && error.code === 'conflict';
      if (!taken || clock.now() >= until) throw error;
      await clock.sleep(RETRY_MS);
    }
  }
}
