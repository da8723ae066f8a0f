import { open, readdir, readFile, stat, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../data-dir/atomic-file.ts';

/** Six digits hold a million files of the usual size; sorted by name they are sorted by age. */
const DIGITS = 6;
const NAME = /^audit-(\d{6,})\.jsonl$/;
const FILE_MODE = 0o600;
const NEWLINE = 0x0a;

/** A file of the log. */
export interface LogFile {
  readonly name: string;
  readonly number: number;
  readonly bytes: number;
  /** ms since the epoch, of the last write */
  readonly writtenAt: number;
}

/** The files, oldest first. @throws the file system's error */
export async function listFiles(folder: string): Promise<readonly LogFile[]> {
  const files: LogFile[] = [];
  for (const name of await readdir(folder)) {
    const number = NAME.exec(name)?.[1];
    if (number === undefined) continue;
    const { size, mtimeMs } = await stat(join(folder, name));
    files.push({ name, number: Number(number), bytes: size, writtenAt: mtimeMs });
  }
  return files.sort((a, b) => a.number - b.number);
}

/** Name of the file with this number. */
export const fileName = (number: number): string => `audit-${String(number).padStart(DIGITS, '0')}.jsonl`;

/** Opens a file to append to; made when missing. */
export const openToAppend = (folder: string, name: string): Promise<FileHandle> =>
  open(join(folder, name), 'a', FILE_MODE);

/** The complete lines of a file, and how many bytes they are. What a crash has cut off behind them is left out. */
export async function readLines(
  folder: string,
  name: string,
): Promise<{ readonly lines: readonly string[]; readonly bytes: number }> {
  const data = await readFile(join(folder, name));
  const bytes = data.lastIndexOf(NEWLINE) + 1;
  const lines = bytes === 0 ? [] : data.toString('utf8', 0, bytes - 1).split('\n');
  return { lines, bytes };
}

/** Cuts a half-written last line off. @returns how many bytes that were */
export async function cutTornTail(folder: string, name: string): Promise<number> {
  const { bytes } = await readLines(folder, name);
  const file = await open(join(folder, name), 'r+', FILE_MODE);
  try {
    const { size } = await file.stat();
    if (size > bytes) {
      await file.truncate(bytes);
      await file.sync();
    }
    return size - bytes;
  } finally {
    await file.close();
  }
}

/** Deletes a file; one that is gone is fine. */
export async function removeFile(folder: string, name: string): Promise<void> {
  try {
    await unlink(join(folder, name));
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}
