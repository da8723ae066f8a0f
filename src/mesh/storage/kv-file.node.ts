import { mkdir, open, readFile, realpath, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { KeyValueStore } from '../../contracts/kv.ts';
import { TabmeshError } from '../../lib/errors.ts';
import { closedError, storageError } from './errors.ts';
import { decodeFrames, encodeFrame } from './journal.node.ts';

/** Rewriting all values costs more than reading a journal of this size again at start. */
const MIN_COMPACT_BYTES = 1024 * 1024;
/** The folder holds keys and room secrets. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** Values are kept serialized: what a caller does to a value that it was given changes nothing here. */
type Values = Map<string, Buffer>;
interface Pending {
  readonly writes: readonly (readonly [key: string, value: Buffer | undefined])[];
  readonly resolve: () => void;
  readonly reject: (reason: TabmeshError) => void;
}

/** Folders that are open in this process; two writers of one journal would destroy it. Processes are kept apart by the relay's own lock. */
const openFolders = new Set<string>();

/**
 * A {@link KeyValueStore} in a folder, all of it in memory: `snapshot`, replaced as a whole (temporary file, fsync,
 * rename), and `journal`, to which each batch is appended and synced as one checksummed frame, so that a batch is
 * there whole or not at all whenever the power goes. Writes that wait for the disk together share one sync.
 * @param folder made when missing, for the owner only
 * @throws `conflict` when this process has it open, `corrupt` when a file is damaged, `storage_failed`
 */
export async function openFileStore(folder: string): Promise<KeyValueStore> {
  const path = await attempt(`opening ${folder}`, async () => {
    await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
    return await realpath(folder);
  });
  if (openFolders.has(path)) throw new TabmeshError('conflict', `the store ${path} is open already`);
  openFolders.add(path);
  try {
    return await attempt(`opening ${path}`, () => load(path));
  } catch (thrown) {
    openFolders.delete(path);
    throw thrown;
  }
}

async function load(path: string): Promise<KeyValueStore> {
  const values: Values = new Map();
  const snapshotPath = join(path, 'snapshot');
  const journalPath = join(path, 'journal');
  const snapshot = decodeFrames(await readIfThere(snapshotPath), snapshotPath);
  for (const payload of snapshot.payloads) replay(values, payload);
  const journalFile = decodeFrames(await readIfThere(journalPath), journalPath);
  for (const payload of journalFile.payloads) replay(values, payload);

  const journal = await open(journalPath, 'a', FILE_MODE);
  await journal.truncate(journalFile.wholeBytes);
  await syncFolder(path);
  let journalBytes = journalFile.wholeBytes;
  // a journal longer than the snapshot costs more to read at start than the snapshot costs to write
  let compactAt = Math.max(MIN_COMPACT_BYTES, snapshot.wholeBytes);

  let queue: Pending[] = [];
  let draining: Promise<void> | undefined;
  let closed = false;
  let broken: TabmeshError | undefined;

  const append = async (group: readonly Pending[]) => {
    const frame = encodeFrame(serialize(group.flatMap((batch) => batch.writes)));
    try {
      await appendSynced(journal, frame);
    } catch (thrown) {
      try {
        await journal.truncate(journalBytes);
        await journal.sync();
      } catch (second) {
        // what the disk holds is unknown now: no more writes until the folder is read again
        broken = storageError(second, `repairing ${journalPath}`);
      }
      throw thrown;
    }
    journalBytes += frame.length;
    for (const { writes } of group) applyWrites(values, writes);
  };

  const compact = async () => {
    const frame = encodeFrame(serialize([...values]));
    try {
      await replaceFile(path, snapshotPath, frame);
    } catch {
      // nothing is lost: the journal still holds it all, and a write for which there is no room reports that itself
      compactAt = journalBytes * 2;
      return;
    }
    try {
      // a crash here replays writes that the snapshot has already: they lead to the same values
      await journal.truncate(0);
      await journal.sync();
    } catch (thrown) {
      broken = storageError(thrown, `compacting ${path}`);
    }
    journalBytes = 0;
    compactAt = Math.max(MIN_COMPACT_BYTES, frame.length);
  };

  const drain = async () => {
    while (queue.length > 0) {
      const group = queue;
      queue = [];
      try {
        if (broken !== undefined) throw broken;
        await append(group);
        for (const batch of group) batch.resolve();
      } catch (thrown) {
        const reason = storageError(thrown, `writing ${journalPath}`);
        for (const batch of group) batch.reject(reason);
        continue;
      }
      if (journalBytes > compactAt) await compact();
    }
    draining = undefined;
  };

  const checked = () => {
    if (closed) throw closedError(path);
    return values;
  };

  const batch: KeyValueStore['batch'] = async (writes) => {
    checked();
    if (broken !== undefined) throw broken;
    if (writes.length === 0) return;
    const encoded = writes.map(
      ({ key, value }) => [key, value === undefined ? undefined : encode(key, value)] as const,
    );
    await new Promise<void>((resolve, reject) => {
      queue.push({ writes: encoded, resolve, reject });
      draining ??= drain();
    });
  };

  const read = (key: string): unknown => {
    const bytes = checked().get(key);
    return bytes === undefined ? undefined : deserialize(copy(bytes));
  };
  return {
    get: async <T>(key: string) => read(key) as T | undefined,
    getMany: async <T>(keys: readonly string[]) => keys.map((key) => read(key) as T | undefined),
    put: (key, value) => batch([{ key, value }]),
    delete: (key) => batch([{ key, value: undefined }]),
    keys: async (prefix = '') => [...checked().keys()].filter((key) => key.startsWith(prefix)).sort(),
    batch,
    close: async () => {
      if (closed) return;
      closed = true;
      await draining;
      openFolders.delete(path);
      await attempt(`closing ${path}`, () => journal.close());
    },
  };
}

function replay(values: Values, payload: Buffer): void {
  const writes = deserialize(payload) as Pending['writes'];
  applyWrites(
    values,
    writes.map(([key, value]) => [key, value === undefined ? undefined : copy(value)]),
  );
}

function encode(key: string, value: unknown): Buffer {
  try {
    return serialize(value);
  } catch (thrown) {
    throw new TabmeshError('invalid_input', `writing ${key}: the value cannot be stored`, { cause: thrown });
  }
}

/** `deserialize` returns views of what it reads: without a copy a caller could write into the store, or keep a whole file alive. */
const copy = (bytes: Uint8Array) => Buffer.from(Uint8Array.from(bytes).buffer);

function applyWrites(values: Values, writes: Pending['writes']): void {
  for (const [key, value] of writes) {
    if (value === undefined) values.delete(key);
    else values.set(key, value);
  }
}

async function appendSynced(file: FileHandle, bytes: Buffer): Promise<void> {
  await file.appendFile(bytes);
  await file.datasync();
}

async function replaceFile(folder: string, path: string, bytes: Buffer): Promise<void> {
  const temporary = `${path}.tmp`;
  await rm(temporary, { force: true });
  const file = await open(temporary, 'wx', FILE_MODE);
  try {
    await appendSynced(file, bytes);
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncFolder(folder);
}

/** A new or renamed file survives a crash only when its folder is synced too; Windows cannot sync a folder and need not. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function readIfThere(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw thrown;
  }
}

async function attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw storageError(thrown, what);
  }
}
