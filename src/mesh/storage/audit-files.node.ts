import { mkdir, open, readdir, readFile, stat, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditSegment, AuditStore } from '../../contracts/audit.ts';
import { storageError } from './errors.ts';
import { createProcessLock } from './lock.ts';

/** Six digits hold a million files of the usual size; sorted by name they are sorted by age. */
const DIGITS = 6;
const NAME = /^audit-(\d{6,})\.jsonl$/;
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const NEWLINE = 0x0a;

const nameOf = (number: number): string => `audit-${String(number).padStart(DIGITS, '0')}.jsonl`;

/**
 * The lines of an audit log as files of a folder, which one process has for itself. What a crash has left half-written at
 * the end of the newest is cut off.
 * @throws `storage_failed`
 */
export async function openAuditFiles(folder: string): Promise<AuditStore> {
  try {
    await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
    const newest = (await listSegments(folder)).at(-1);
    const torn = newest === undefined ? 0 : await cutTornTail(join(folder, newest.name));
    return auditFiles(folder, newest && { number: newest.number, bytes: newest.bytes - torn }, torn);
  } catch (thrown) {
    throw storageError(thrown, 'opening the audit log');
  }
}

function auditFiles(
  folder: string,
  newest: Pick<AuditSegment, 'number' | 'bytes'> | undefined,
  torn: number,
): AuditStore {
  const lock = createProcessLock();
  let tail = newest ?? null;
  let current: { readonly number: number; readonly file: FileHandle } | null = null;

  /** the file of a segment, to append to; made when missing */
  const fileOf = async (number: number): Promise<FileHandle> => {
    if (current?.number === number) return current.file;
    const file = await open(join(folder, nameOf(number)), 'a', FILE_MODE);
    await current?.file.close();
    current = { number, file };
    return file;
  };
  return {
    mended: torn === 0 ? null : `cut off ${torn} bytes of an entry that was not written to its end`,
    exclusive: (work) => lock.run(work),
    tail: () => Promise.resolve(tail),
    segments: () => listSegments(folder),
    lines: async (segment) => (await readLines(join(folder, nameOf(segment)))).lines,
    async append(segment, text) {
      const bytes = tail?.number === segment ? tail.bytes : 0;
      try {
        const file = await fileOf(segment);
        try {
          await file.appendFile(text);
          await file.datasync();
        } catch (thrown) {
          // half of it may be there; entries that are linked to it again would break the chain
          await file.truncate(bytes);
          throw thrown;
        }
      } catch (thrown) {
        throw storageError(thrown, 'writing the audit log');
      }
      tail = { number: segment, bytes: bytes + Buffer.byteLength(text) };
    },
    async remove(segment) {
      try {
        await unlink(join(folder, nameOf(segment)));
      } catch (thrown) {
        if (!isMissing(thrown)) throw storageError(thrown, 'deleting of the audit log');
      }
    },
    async close() {
      const open = current;
      current = null;
      await open?.file.close();
    },
  };
}

/** The segments, oldest first. @throws the file system's error */
async function listSegments(folder: string): Promise<readonly AuditSegment[]> {
  const found: AuditSegment[] = [];
  for (const name of await readdir(folder)) {
    const number = NAME.exec(name)?.[1];
    if (number === undefined) continue;
    const { size, mtimeMs } = await stat(join(folder, name));
    found.push({ name, number: Number(number), bytes: size, writtenAt: mtimeMs });
  }
  return found.sort((a, b) => a.number - b.number);
}

/** The complete lines of a file, and how many bytes they are. What a crash has cut off behind them is left out. */
async function readLines(path: string): Promise<{ readonly lines: readonly string[]; readonly bytes: number }> {
  let data: Buffer;
  try {
    data = await readFile(path);
  } catch (thrown) {
    if (isMissing(thrown)) return { lines: [], bytes: 0 };
    throw storageError(thrown, 'reading the audit log');
  }
  const bytes = data.lastIndexOf(NEWLINE) + 1;
  const lines = bytes === 0 ? [] : data.toString('utf8', 0, bytes - 1).split('\n');
  return { lines, bytes };
}

/** Cuts a half-written last line off. @returns how many bytes that were */
async function cutTornTail(path: string): Promise<number> {
  const { bytes } = await readLines(path);
  const file = await open(path, 'r+', FILE_MODE);
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

const isMissing = (thrown: unknown): boolean => thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
