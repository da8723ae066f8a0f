import type { KeyValueStore } from '../../contracts/kv.ts';
import type { SignedUpdate } from '../../contracts/replica.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { DeviceId, RoomId } from '../../lib/ids.ts';
import type { DeviceKey } from '../identity/device-key.ts';
import type { WriteLock } from '../storage/lock.ts';
import { advance, equal, placeEntry } from './chain.ts';
import type { AuthorHead, RejectReason } from './chain.ts';
import { isUpdate } from './doc.ts';
import { GENESIS, entryHash, signEntry, verifyEntry } from './entry.ts';
import { MAX_AUTHORS, MAX_BYTES_PER_AUTHOR, MAX_ENTRIES_PER_AUTHOR } from './limits.ts';
import { createLogStore } from './log-store.ts';
import type { LogStore } from './log-store.ts';

const FIRST_EPOCH = 1;

/** An author some of whose entries were not taken, and why the first of them was not. */
export interface Rejection {
  readonly author: DeviceId;
  readonly reason: RejectReason;
}

export interface Accepted {
  /** now stored, in the order of their logs; entries that were there already are not among them */
  readonly accepted: readonly SignedUpdate[];
  readonly rejected: readonly Rejection[];
}

/** The logs of all authors of a room on this device. All tabs of the device share them; writes go one at a time. */
export interface ReplicaLog extends Pick<LogStore, 'authors' | 'head' | 'read'> {
  /** Runs `work` while no other tab writes. */
  exclusive<T>(work: (writer: LogWriter) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Sorts out what is not signed by its author, before the lock is taken: signatures take the time. */
  screen(entries: readonly SignedUpdate[]): Promise<{ good: SignedUpdate[]; rejected: Rejection[] }>;
}

export interface LogWriter {
  /**
   * Signs an update and appends it to the device's own log.
   * @throws `conflict` when another copy of this device has written the same log, `quota_exceeded`, `storage_failed`
   */
  append(device: DeviceKey, update: Uint8Array): Promise<SignedUpdate>;
  /** Appends entries that `screen` found good, as far as they continue their logs. @throws `quota_exceeded`, `storage_failed` */
  accept(entries: readonly SignedUpdate[]): Promise<Accepted>;
}

export function createReplicaLog(options: {
  readonly room: RoomId;
  readonly store: KeyValueStore;
  readonly lock: WriteLock;
}): ReplicaLog {
  const { room, lock } = options;
  const logs = createLogStore(options.store);

  /** The stored entry in the place of this one, if any. */
  const inPlaceOf = async (entry: SignedUpdate) => (await logs.read(entry.author, entry.epoch, entry.seq, 1))[0];

  const append: LogWriter['append'] = async (device, update) => {
    const head = await logs.head(device.id);
    if (head?.forked === true) throw copiedDevice();
    const seq = head === undefined ? 0 : head.seq + 1;
    if (seq >= MAX_ENTRIES_PER_AUTHOR || (head?.bytes ?? 0) + update.byteLength > MAX_BYTES_PER_AUTHOR) {
      throw new TabmeshError('quota_exceeded', 'this device has written as much into this room as a device may', {
        hint: 'Open a new room for further work.',
      });
    }
    const epoch = head?.epoch ?? FIRST_EPOCH;
    const entry = await signEntry(device, room, { epoch, seq, prev: head?.hash ?? GENESIS, update });
    const next = advance(head, entry, entryHash(entry, room));
    await logs.write({ entries: [entry], heads: new Map([[device.id, next]]), replaced: new Set() });
    return entry;
  };

  const accept: LogWriter['accept'] = async (entries) => {
    const heads = new Map<DeviceId, AuthorHead>();
    const replaced = new Set<DeviceId>();
    const accepted: SignedUpdate[] = [];
    const rejected = new Map<DeviceId, RejectReason>();
    const authorCount = (await logs.authors()).length;
    let newAuthors = 0;

    for (const entry of inLogOrder(entries)) {
      const { author } = entry;
      if (rejected.has(author)) continue;
      const stored = heads.get(author) ?? (await logs.head(author));
      if (stored === undefined && authorCount + newAuthors >= MAX_AUTHORS) {
        rejected.set(author, 'over_limit');
        continue;
      }
      const hash = entryHash(entry, room);
      const verdict = placeEntry(stored, entry);
      switch (verdict.kind) {
        case 'stale':
          break;
        case 'taken': {
          const held = findAt(accepted, entry) ?? (await inPlaceOf(entry));
          if (held !== undefined && !equal(entryHash(held, room), hash)) rejected.set(author, 'forked');
          break;
        }
        case 'new_epoch':
          if (stored === undefined) newAuthors++;
          else replaced.add(author);
          removeOf(accepted, author);
          accepted.push(entry);
          heads.set(author, advance(stored, entry, hash));
          break;
        case 'next':
          accepted.push(entry);
          heads.set(author, advance(stored, entry, hash));
          break;
        case 'rejected':
          rejected.set(author, verdict.reason);
      }
      const head = heads.get(author) ?? stored;
      if (rejected.get(author) === 'forked' && head !== undefined) heads.set(author, { ...head, forked: true });
    }
    if (heads.size > 0) await logs.write({ entries: accepted, heads, replaced });
    return { accepted, rejected: [...rejected].map(([author, reason]) => ({ author, reason })) };
  };

  return {
    authors: () => logs.authors(),
    head: (author) => logs.head(author),
    read: (author, epoch, from, count) => logs.read(author, epoch, from, count),
    exclusive: (work, signal) => lock.run(() => work({ append, accept }), signal),
    screen: async (entries) => {
      const good: SignedUpdate[] = [];
      const rejected = new Map<DeviceId, RejectReason>();
      for (const entry of entries) {
        const held = await inPlaceOf(entry);
        if (held !== undefined && isSame(held, entry)) continue;
        if (!(await verifyEntry(entry, room))) rejected.set(entry.author, 'bad_signature');
        else if (!isUpdate(entry.update)) rejected.set(entry.author, 'bad_update');
        else good.push(entry);
      }
      return { good, rejected: [...rejected].map(([author, reason]) => ({ author, reason })) };
    },
  };
}

function inLogOrder(entries: readonly SignedUpdate[]): SignedUpdate[] {
  return [...entries].sort((a, b) => a.epoch - b.epoch || a.seq - b.seq);
}

function findAt(entries: readonly SignedUpdate[], { author, epoch, seq }: SignedUpdate): SignedUpdate | undefined {
  return entries.find((entry) => entry.author === author && entry.epoch === epoch && entry.seq === seq);
}

function removeOf(entries: SignedUpdate[], author: DeviceId): void {
  for (let index = entries.length - 1; index >= 0; index--) {
    if (entries[index]?.author === author) entries.splice(index, 1);
  }
}

/** The same entry, signature included: nothing left to verify. */
function isSame(a: SignedUpdate, b: SignedUpdate): boolean {
  return equal(a.signature, b.signature) && equal(a.update, b.update) && equal(a.prev, b.prev);
}

function copiedDevice(): TabmeshError {
  return new TabmeshError('conflict', 'another copy of this device has written into this room under the same key', {
    hint: 'Delete the data of one of the two copies and join again.',
  });
}
