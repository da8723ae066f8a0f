import type { KeyValueStore } from '../../contracts/kv.ts';
import type { SignedUpdate } from '../../contracts/replica.ts';
import { FORMAT_VERSIONS } from '../../contracts/versions.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { DeviceId } from '../../lib/ids.ts';
import { decodeMap, isPlainMap } from '../../lib/strict-map.ts';
import type { AuthorHead } from './chain.ts';
import { decodeEntry, encodeEntry } from './entry.ts';

const HEADS = 'replica/head/';
const ENTRIES = 'replica/entry/';
/** Reads at a time: enough to keep IndexedDB busy, few enough to leave room for others. */
const READ_AHEAD = 64;

/** What one change of the logs writes, all of it or nothing. */
export interface LogChange {
  readonly entries: readonly SignedUpdate[];
  readonly heads: ReadonlyMap<DeviceId, AuthorHead>;
  /** authors of whom everything that was held before is dropped */
  readonly replaced: ReadonlySet<DeviceId>;
}

/** How the logs lie in a key-value store: a key for each entry, and one for each author's head. */
export interface LogStore {
  authors(): Promise<readonly DeviceId[]>;
  /** @throws `corrupt` */
  head(author: DeviceId): Promise<AuthorHead | undefined>;
  /** entries `from`, `from + 1`, … of an epoch, at most `count`; ends at the first that is not there. @throws `corrupt` */
  read(author: DeviceId, epoch: number, from: number, count: number): Promise<readonly SignedUpdate[]>;
  /** @throws `quota_exceeded`, `storage_failed`; nothing is written then */
  write(change: LogChange): Promise<void>;
}

export function createLogStore(store: KeyValueStore): LogStore {
  return {
    authors: async () => (await store.keys(HEADS)).map((key) => key.slice(HEADS.length) as DeviceId),
    head: async (author) => {
      const stored = await store.get<unknown>(HEADS + author);
      if (stored === undefined) return undefined;
      if (!isHead(stored)) throw corrupt(`the head of ${author}`);
      return stored;
    },
    read: async (author, epoch, from, count) => {
      const entries: SignedUpdate[] = [];
      for (let at = from; at < from + count; at += READ_AHEAD) {
        const places = Array.from({ length: Math.min(READ_AHEAD, from + count - at) }, (_, index) => at + index);
        const found = await Promise.all(places.map((seq) => store.get<unknown>(entryKey({ author, epoch, seq }))));
        for (const stored of found) {
          if (stored === undefined) return entries;
          entries.push(readEntry(stored, author));
        }
      }
      return entries;
    },
    write: async ({ entries, heads, replaced }) => {
      const writes: { key: string; value: unknown }[] = [];
      for (const author of replaced) {
        for (const key of await store.keys(`${ENTRIES}${author}/`)) writes.push({ key, value: undefined });
      }
      for (const entry of entries) writes.push({ key: entryKey(entry), value: encodeEntry(entry) });
      for (const [author, head] of heads) writes.push({ key: HEADS + author, value: head });
      await store.batch(writes);
    },
  };
}

/** Numbers are padded, so that keys of one author sort in the order of its log. */
function entryKey({ author, epoch, seq }: Pick<SignedUpdate, 'author' | 'epoch' | 'seq'>): string {
  return `${ENTRIES}${author}/${String(epoch).padStart(7, '0')}/${String(seq).padStart(7, '0')}`;
}

function readEntry(stored: unknown, author: DeviceId): SignedUpdate {
  try {
    if (stored instanceof Uint8Array) {
      refuseNewer(stored);
      return decodeEntry(stored);
    }
  } catch (thrown) {
    if (thrown instanceof TabmeshError && thrown.code === 'format_newer') throw thrown;
    throw corrupt(`an entry of ${author}`, thrown);
  }
  throw corrupt(`an entry of ${author}`);
}

function refuseNewer(entry: Uint8Array): void {
  const version = decodeMap(entry)?.['version'];
  if (typeof version !== 'number' || version <= FORMAT_VERSIONS.replica) return;
  throw new TabmeshError('format_newer', `the stored replica has an entry of version ${version}`, {
    hint: 'Update this app. The replica was left as it is.',
    details: { version },
  });
}

function isHead(value: unknown): value is AuthorHead {
  return (
    isPlainMap(value) &&
    Number.isSafeInteger(value['epoch']) &&
    Number.isSafeInteger(value['seq']) &&
    Number.isSafeInteger(value['bytes']) &&
    value['hash'] instanceof Uint8Array &&
    typeof value['forked'] === 'boolean'
  );
}

function corrupt(what: string, cause?: unknown): TabmeshError {
  return new TabmeshError('corrupt', `the stored replica is damaged: ${what} cannot be read`, {
    hint: 'Leave the room, delete its data on this device and join again: the other devices still have it.',
    cause,
  });
}
