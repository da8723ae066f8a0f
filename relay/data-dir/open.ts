import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TabmeshError } from '../../src/lib/errors.ts';
import { readFileIfThere, writeFileAtomic } from './atomic-file.ts';
import { lockDataDir } from './lock.ts';

/** Layout of the folder; see `docs/architecture.md`. */
const DATA_DIR_VERSION = 1;
/** It holds keys, room secrets and the owner's token. */
const FOLDER_MODE = 0o700;

/** The folder of one relay, locked for this process. */
export interface DataDir {
  /** absolute */
  readonly path: string;
  /** a file or folder in it */
  file(name: string): string;
  /** gives the lock free */
  close(): Promise<void>;
}

/**
 * Opens the relay's data folder, making it when missing.
 * @param path absolute
 * @throws `conflict` while another relay uses it, `format_newer` when a newer version wrote it, `storage_failed` when
 *   it cannot be written
 */
export async function openDataDir(path: string): Promise<DataDir> {
  const lock = await attempt(path, async () => {
    await mkdir(path, { recursive: true, mode: FOLDER_MODE });
    await chmod(path, FOLDER_MODE);
    return await lockDataDir(path);
  });
  const dataDir: DataDir = { path, file: (name) => join(path, name), close: () => lock.release() };
  try {
    await attempt(path, () => checkVersion(dataDir));
    return dataDir;
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function checkVersion(dataDir: DataDir): Promise<void> {
  const path = dataDir.file('format.json');
  const text = await readFileIfThere(path);
  if (text === undefined) {
    await writeFileAtomic(path, `${JSON.stringify({ version: DATA_DIR_VERSION })}\n`);
    return;
  }
  const version = parseVersion(text);
  if (version === undefined) {
    throw new TabmeshError('corrupt', `${path} names no format version`, {
      hint: 'Restore the folder from a backup, or choose another one with --data.',
    });
  }
  if (version > DATA_DIR_VERSION) {
    throw new TabmeshError(
      'format_newer',
      `${dataDir.path} was written by a newer Tabmesh (format ${String(version)}, this one reads ${String(DATA_DIR_VERSION)})`,
      { hint: 'Update this app.' },
    );
  }
}

function parseVersion(text: string): number | undefined {
  try {
    const value = JSON.parse(text) as { readonly version?: unknown } | null;
    return Number.isInteger(value?.version) ? (value?.version as number) : undefined;
  } catch {
    // the caller says what a file without a version means
    return undefined;
  }
}

async function attempt<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TabmeshError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new TabmeshError('storage_failed', `the data folder ${path} cannot be written (${code})`, {
      hint: 'Choose another one with --data.',
      cause: error,
    });
  }
}
