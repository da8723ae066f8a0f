import type { KeyValueStore } from '../../contracts/kv.ts';
import type { SignedUpdate } from '../../contracts/replica.ts';
import { FORMAT_VERSIONS } from '../../contracts/versions.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { DeviceId } from '../../lib/ids.ts';
import { decodeMap, isPlainMap } from '../../lib/strict-map.ts';
import type { Migrations, Write } from '../storage/versioned.ts';
import type { Span } from './author-log.ts';
import { NO_CHAIN, costOf } from './chain.ts';
import type { AuthorHead, Chain } from './chain.ts';
import { decodeEntry, encodeEntry } from './entry.ts';

const HEADS = 'replica/head/';
const ENTRIES = 'replica/entry/';
const DROPPED = 'replica/dropped/';
const TOTAL = 'replica/total';
/** Reads at a time: enough to keep IndexedDB busy, few enough to leave room for others. */
const READ_AHEAD = 64;

/** What one change of the logs writes, all of it or nothing. */
export interface LogChange {
  /** of these authors; undefined removes one */
  readonly heads: ReadonlyMap<DeviceId, AuthorHead | undefined>;
  readonly entries: readonly SignedUpdate[];
  /** of these authors only the entries in these spans are kept, of those that were stored before */
  readonly spans: ReadonlyMap<DeviceId, readonly Span[]>;
  /** where authors stood that are dropped; undefined when there is something new of one */
  readonly dropped: ReadonlyMap<DeviceId, Dropped | undefined>;
  /** what all logs take then, bytes */
  readonly total: number;
}

/** Where an author's log ended when it was dropped. */
export interface Dropped {
  readonly epoch: number;
  readonly seq: number;
  /** ms since the Unix epoch */
  readonly at: number;
}

/** How the logs lie in a key-value store: a key for each entry, and one for each author's head. */
export interface LogStore {
  authors(): Promise<readonly DeviceId[]>;
  /** @throws `corrupt` */
  head(author: DeviceId): Promise<AuthorHead | undefined>;
  /** authors that were dropped, and where their logs ended. @throws `corrupt` */
  dropped(): Promise<ReadonlyMap<DeviceId, Dropped>>;
  /** what all logs take, bytes */
  total(): Promise<number>;
  /** entries `from`, `from + 1`, … of an epoch, at most `count`; ends at the first that is not there. @throws `corrupt` */
  read(author: DeviceId, epoch: number, from: number, count: number): Promise<readonly SignedUpdate[]>;
  /** @throws `quota_exceeded`, `storage_failed`; nothing is written then */
  write(change: Partial<LogChange>): Promise<void>;
}

export function createLogStore(store: KeyValueStore): LogStore {
  const authorsUnder = async (prefix: string) =>
    (await store.keys(prefix)).map((key) => key.slice(prefix.length) as DeviceId);
  return {
    authors: () => authorsUnder(HEADS),
    head: async (author) => {
      const stored = await store.get<unknown>(HEADS + author);
      if (stored === undefined) return undefined;
      if (!isHead(stored)) throw corrupt(`the head of ${author}`);
      return stored;
    },
    dropped: async () => {
      const dropped = new Map<DeviceId, Dropped>();
      for (const author of await authorsUnder(DROPPED)) {
        const stored = await store.get<unknown>(DROPPED + author);
        if (stored !== undefined && !isDropped(stored)) throw corrupt(`what is left of ${author}`);
        if (stored !== undefined) dropped.set(author, stored);
      }
      return dropped;
    },
    total: async () => {
      const stored = await store.get<unknown>(TOTAL);
      return Number.isSafeInteger(stored) ? (stored as number) : 0;
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
    write: async ({ heads = [], entries = [], spans = [], dropped = [], total }) => {
      const writes: { key: string; value: unknown }[] = [];
      for (const [author, kept] of spans) {
        const prefix = `${ENTRIES}${author}/`;
        for (const key of await store.keys(prefix)) {
          const [epoch, seq] = key.slice(prefix.length).split('/').map(Number);
          const isKept = kept.some((span) => span.epoch === epoch && seq !== undefined && seq < span.below);
          if (!isKept) writes.push({ key, value: undefined });
        }
      }
      for (const entry of entries) writes.push({ key: entryKey(entry), value: encodeEntry(entry) });
      for (const [author, head] of heads) writes.push({ key: HEADS + author, value: head });
      for (const [author, position] of dropped) writes.push({ key: DROPPED + author, value: position });
      if (total !== undefined) writes.push({ key: TOTAL, value: total });
      if (writes.length > 0) await store.batch(writes);
    },
  };
}

/**
 * Version 1 had heads without snapshots and without proofs of forks, and no total. A fork that it has seen is found again
 * when logs are compared. Entries stay as they were signed.
 * @param now ms since the Unix epoch: nobody is dropped for having been away before it was counted
 */
export function logMigrations(now: number): Migrations {
  return {
    1: async (view) => {
      const writes: Write[] = [];
      let total = 0;
      for (const key of await view.keys(HEADS)) {
        const { epoch, seq, hash, bytes } = (await view.get<AuthorHead>(key)) ?? NO_CHAIN;
        const chain: Chain = { epoch, seq, hash, bytes, snapshot: 0, snapshotBytes: 0 };
        const head: AuthorHead = { ...chain, staged: null, fork: null, seenAt: now };
        if (!isHead(head)) throw corrupt(key);
        total += costOf(head);
        writes.push({ key, value: head });
      }
      return [...writes, { key: TOTAL, value: total }];
    },
  };
}

/** Numbers are padded, so that keys of one epoch sort in the order of its log. */
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

const isInteger = (value: unknown): boolean => Number.isSafeInteger(value);

function isChain(value: unknown): boolean {
  return (
    isPlainMap(value) &&
    ['epoch', 'seq', 'bytes', 'snapshot', 'snapshotBytes'].every((field) => isInteger(value[field])) &&
    value['hash'] instanceof Uint8Array
  );
}

function isFork(value: unknown): boolean {
  if (!isPlainMap(value) || !isInteger(value['epoch']) || !isInteger(value['seq'])) return false;
  const { proof } = value;
  return Array.isArray(proof) && proof.length === 2 && proof.every((entry) => entry instanceof Uint8Array);
}

function isHead(value: unknown): value is AuthorHead {
  if (!isChain(value) || !isPlainMap(value)) return false;
  const { staged, fork, seenAt } = value;
  return isInteger(seenAt) && (staged === null || isChain(staged)) && (fork === null || isFork(fork));
}

function isDropped(value: unknown): value is Dropped {
  return isPlainMap(value) && ['epoch', 'seq', 'at'].every((field) => isInteger(value[field]));
}

function corrupt(what: string, cause?: unknown): TabmeshError {
  return new TabmeshError('corrupt', `the stored replica is damaged: ${what} cannot be read`, {
    hint: 'Leave the room, delete its data on this device and join again: the other devices still have it.',
    cause,
  });
}
