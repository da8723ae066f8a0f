import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { PeerRecord } from '../../contracts/discovery.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { PeerId } from '../../lib/ids.ts';
import { Slots } from '../../lib/slots.ts';
import { isPlainMap } from '../../lib/strict-map.ts';
import { storageError } from '../storage/errors.ts';
import { recordFromPlain, recordToPlain } from './record.ts';
import type { RecordStore } from './record-store.ts';

const VERSION = 1;
/** it tells where the members of a room are */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

interface Contents {
  readonly peers: ReadonlyMap<PeerId, PeerRecord>;
  readonly cleanedAt: number | null;
}

/** A {@link RecordStore} in a file. */
export interface FileRecordStore extends RecordStore {
  /** Resolves when what was asked of it before has been done: then the folder may go. */
  settled(): Promise<void>;
}

const EMPTY: Contents = { peers: new Map(), cleanedAt: null };

/**
 * A {@link RecordStore} in one JSON file: `{version, peers: {id: record}, last_cleanup}`, replaced as a whole. It is there,
 * empty, after its first use. A file that cannot be read is renamed aside and never written over; one of a newer version is
 * left alone, and every use fails with `format_newer`.
 * @param path in a folder that is made when missing
 * @param now for the name of a file that is put aside
 */
export function createFileRecordStore(path: string, now: () => number): FileRecordStore {
  const using = new Slots(1);

  const load = async (): Promise<Contents> => {
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (thrown) {
      if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT'))
        throw storageError(thrown, `reading ${path}`);
      await save(path, EMPTY);
      return EMPTY;
    }
    try {
      return decode(text);
    } catch (thrown) {
      if (thrown instanceof TabmeshError && thrown.code === 'format_newer') throw thrown;
      await rename(path, `${path}.corrupt-${now()}-${randomUUID().slice(0, 8)}`);
      await save(path, EMPTY);
      return EMPTY;
    }
  };

  return {
    list: () => using.run(async () => [...(await load()).peers.values()]),
    change: (peer, change) =>
      using.run(async () => {
        const { peers, cleanedAt } = await load();
        const changed = change(peers.get(peer));
        if (changed !== undefined) await save(path, { peers: new Map([...peers, [peer, changed]]), cleanedAt });
      }),
    clean: (expired, at) =>
      using.run(async () => {
        const { peers } = await load();
        const kept = [...peers].filter(([, record]) => !expired(record));
        await save(path, { peers: new Map(kept), cleanedAt: at });
        return peers.size - kept.length;
      }),
    cleanedAt: () => using.run(async () => (await load()).cleanedAt),
    settled: () => using.run(() => Promise.resolve()),
  };
}

/** @throws anything when the text is not such a file; `format_newer` */
function decode(text: string): Contents {
  const value: unknown = JSON.parse(text);
  if (!isPlainMap(value)) throw new TabmeshError('corrupt', 'not a peer registry');
  const { version, peers, last_cleanup } = value;
  if (typeof version === 'number' && version > VERSION) {
    throw new TabmeshError('format_newer', 'the peer registry was written by a newer version', {
      hint: 'Update this app.',
    });
  }
  if (version !== VERSION || !isPlainMap(peers)) throw new TabmeshError('corrupt', 'not a peer registry');
  const records = Object.values(peers).map(recordFromPlain);
  return {
    peers: new Map(records.map((record) => [record.peer, record])),
    cleanedAt: typeof last_cleanup === 'number' ? last_cleanup * 1000 : null,
  };
}

/** Readers see the old file or the new one, also after a power cut: a temporary file, synced, then renamed. */
async function save(path: string, { peers, cleanedAt }: Contents): Promise<void> {
  const value = {
    version: VERSION,
    peers: Object.fromEntries([...peers].map(([peer, record]) => [peer, recordToPlain(record)])),
    last_cleanup: cleanedAt === null ? null : cleanedAt / 1000,
  };
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: FOLDER_MODE });
    const file = await open(temporary, 'wx', FILE_MODE);
    try {
      await file.writeFile(`${JSON.stringify(value, null, 1)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (thrown) {
    await rm(temporary, { force: true });
    throw storageError(thrown, `writing ${path}`);
  }
}
