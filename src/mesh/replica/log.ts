import type { KeyValueStore } from '../../contracts/kv.ts';
import type { SignedUpdate } from '../../contracts/replica.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { DeviceId, RoomId } from '../../lib/ids.ts';
import type { DeviceKey } from '../identity/device-key.ts';
import type { WriteLock } from '../storage/lock.ts';
import { AuthorLog, isSame } from './author-log.ts';
import type { AuthorLogOptions, Span } from './author-log.ts';
import { NO_CHAIN, OFFENCES, costOf, extend } from './chain.ts';
import type { AuthorHead, Chain, RejectReason } from './chain.ts';
import { GENESIS, beginsRightly, entryHash, signEntry, verifyEntry } from './entry.ts';
import {
  ENTRY_OVERHEAD_BYTES,
  MAX_AUTHORS,
  MAX_BYTES_PER_AUTHOR,
  MAX_BYTES_PER_ROOM,
  MAX_DROPPED,
  MAX_ENTRIES_PER_AUTHOR,
  MAX_EPOCH,
  SEEN_STEP_MS,
} from './limits.ts';
import { createLogStore } from './log-store.ts';
import type { Dropped, LogStore } from './log-store.ts';
import { readUpdate } from './yjs-update.ts';

/**
 * The epoch of a new log, by the clock: a device that left the room with all its data and comes back under the same key
 * cannot know what the others hold of it, and must go on above that.
 * @param now ms since the Unix epoch
 */
const epochAt = (now: number) => Math.floor(now / 1000);

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

/** The same, with the heads of the authors of whom something changed. */
export interface Taken extends Accepted {
  readonly heads: ReadonlyMap<DeviceId, AuthorHead>;
}

/** The logs of all authors of a room on this device. All tabs of the device share them; writes go one at a time. */
export interface ReplicaLog extends Pick<LogStore, 'authors' | 'head' | 'read' | 'dropped'> {
  /** Runs `work` while no other tab writes. */
  exclusive<T>(work: (writer: LogWriter) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /**
   * Sorts out what is not signed by its author, before the lock is taken: signatures take the time. Ends at the first entry
   * that no honest peer would have passed on.
   */
  screen(entries: readonly SignedUpdate[]): Promise<{ good: SignedUpdate[]; rejected: Rejection[] }>;
}

/** What may be written while the lock is held. All throw `quota_exceeded`, `storage_failed`; nothing is written then. */
export interface LogWriter {
  /**
   * Signs an update and appends it to the device's own log.
   * @throws `conflict` when another copy of this device has written the same log
   */
  append(device: DeviceKey, update: Uint8Array): Promise<{ entry: SignedUpdate; head: AuthorHead }>;
  /** Replaces the device's own log by a snapshot under the next epoch. @throws `conflict` as `append` */
  replace(device: DeviceKey, snapshot: readonly Uint8Array[]): Promise<void>;
  /** Takes entries that `screen` found good, as far as they continue their logs. */
  accept(entries: readonly SignedUpdate[]): Promise<Taken>;
  /** Remembers that the device was heard of. @returns whether it had been dropped, and may be sent again */
  seen(author: DeviceId): Promise<boolean>;
  /** Deletes an author's log. It is taken again when there is something new of it. */
  drop(author: DeviceId): Promise<void>;
}

export function createReplicaLog(options: {
  readonly room: RoomId;
  readonly store: KeyValueStore;
  readonly lock: WriteLock;
  /** ms since the Unix epoch */
  readonly now: () => number;
}): ReplicaLog {
  const { room, lock, now } = options;
  const logs = createLogStore(options.store);
  const hashOf = (entry: SignedUpdate) => entryHash(entry, room);

  /** The stored entry in the place of this one, if any. */
  const inPlaceOf = async (entry: SignedUpdate) => (await logs.read(entry.author, entry.epoch, entry.seq, 1))[0];

  const ownHead = async (device: DeviceKey) => {
    const head = await logs.head(device.id);
    if (head !== undefined && head.fork !== null) throw copiedDevice();
    return head;
  };

  const sign = async (device: DeviceKey, before: Chain, update: Uint8Array, snapshot: number) => {
    const { epoch, seq, hash } = before;
    const entry = await signEntry(device, room, { epoch, seq: seq + 1, prev: hash, update, snapshot });
    return { entry, chain: extend(before, entry, hashOf(entry)) };
  };

  const append: LogWriter['append'] = async (device, update) => {
    const held = await ownHead(device);
    const before: Chain = held ?? { ...NO_CHAIN, epoch: epochAt(now()) };
    if (before.seq + 1 >= MAX_ENTRIES_PER_AUTHOR || before.bytes + update.byteLength > MAX_BYTES_PER_AUTHOR) {
      throw logIsFull();
    }
    const { entry, chain } = await sign(device, before, update, 0);
    const head: AuthorHead = { ...chain, staged: null, fork: null, seenAt: now() };
    const total = (await logs.total()) + update.byteLength + ENTRY_OVERHEAD_BYTES;
    await logs.write({ entries: [entry], heads: new Map([[device.id, head]]), total });
    return { entry, head };
  };

  const replace: LogWriter['replace'] = async (device, snapshot) => {
    const held = await ownHead(device);
    const epoch = Math.max((held?.epoch ?? 0) + 1, epochAt(now()));
    if (epoch >= MAX_EPOCH) throw logIsFull();
    let before: Chain = { ...NO_CHAIN, epoch, hash: GENESIS };
    const entries: SignedUpdate[] = [];
    for (const [index, update] of snapshot.entries()) {
      const { entry, chain } = await sign(device, before, update, index === 0 ? snapshot.length : 0);
      entries.push(entry);
      before = chain;
    }
    const head: AuthorHead = { ...before, staged: null, fork: null, seenAt: now() };
    await logs.write({
      entries,
      heads: new Map([[device.id, head]]),
      spans: new Map([[device.id, []]]),
      total: (await logs.total()) + costOf(head) - costOf(held),
    });
  };

  const accept: LogWriter['accept'] = async (entries) => {
    const heads = new Map<DeviceId, AuthorHead>();
    const spans = new Map<DeviceId, readonly Span[]>();
    const undropped = new Map<DeviceId, undefined>();
    const rejected: Rejection[] = [];
    const accepted: SignedUpdate[] = [];
    const [authors, dropped] = [await logs.authors(), await logs.dropped()];
    let authorCount = authors.length;
    let total = await logs.total();

    for (const [author, own] of Map.groupBy(entries, (entry) => entry.author)) {
      const held = await logs.head(author);
      if (held === undefined && authorCount >= MAX_AUTHORS) {
        rejected.push({ author, reason: 'over_limit' });
        continue;
      }
      const left = dropped.get(author);
      if (left !== undefined) {
        if (!own.some((entry) => isBeyond(entry, left))) continue;
        undropped.set(author, undefined);
      }
      const read: AuthorLogOptions['read'] = (epoch, from, count) => logs.read(author, epoch, from, count);
      const log = new AuthorLog({ head: held, hashOf, read, budget: MAX_BYTES_PER_ROOM - total, now: now() });
      const reason = await log.takeAll(own);
      if (reason !== undefined) rejected.push({ author, reason });
      if (!log.changed) continue;
      if (held === undefined) authorCount++;
      heads.set(author, log.head);
      if (log.spans !== undefined) spans.set(author, log.spans);
      accepted.push(...log.taken);
      total += costOf(log.head) - costOf(held);
    }
    if (heads.size + undropped.size > 0)
      await logs.write({ entries: accepted, heads, spans, dropped: undropped, total });
    return { accepted, rejected, heads };
  };

  const seen: LogWriter['seen'] = async (author) => {
    const at = now();
    const head = await logs.head(author);
    if (head !== undefined && at - head.seenAt >= SEEN_STEP_MS) {
      await logs.write({ heads: new Map([[author, { ...head, seenAt: at }]]) });
    }
    if (!(await logs.dropped()).has(author)) return false;
    await logs.write({ dropped: new Map([[author, undefined]]) });
    return true;
  };

  const drop: LogWriter['drop'] = async (author) => {
    const head = await logs.head(author);
    if (head === undefined) return;
    const { epoch, seq } = head;
    await logs.write({
      heads: new Map([[author, undefined]]),
      spans: new Map([[author, []]]),
      dropped: new Map([...(await surplus()), [author, { epoch, seq, at: now() }]]),
      total: (await logs.total()) - costOf(head),
    });
  };

  /** What has to go so that one more dropped author can be remembered. */
  const surplus = async (): Promise<[DeviceId, undefined][]> => {
    const oldestFirst = [...(await logs.dropped())].sort(([, a], [, b]) => a.at - b.at);
    return oldestFirst
      .slice(0, Math.max(0, oldestFirst.length + 1 - MAX_DROPPED))
      .map(([author]) => [author, undefined]);
  };

  const writer: LogWriter = { append, replace, accept, seen, drop };
  return {
    authors: () => logs.authors(),
    head: (author) => logs.head(author),
    dropped: () => logs.dropped(),
    read: (author, epoch, from, count) => logs.read(author, epoch, from, count),
    exclusive: (work, signal) => lock.run(() => work(writer), signal),
    screen: async (entries) => {
      const good: SignedUpdate[] = [];
      for (const entry of entries) {
        const held = await inPlaceOf(entry);
        if (held !== undefined && isSame(held, entry)) continue;
        const reason = await offenceOf(entry, room);
        if (reason !== undefined) return { good, rejected: [{ author: entry.author, reason }] };
        good.push(entry);
      }
      return { good, rejected: [] };
    },
  };
}

async function offenceOf(entry: SignedUpdate, room: RoomId): Promise<RejectReason | undefined> {
  if (!(await verifyEntry(entry, room))) return 'bad_signature';
  return beginsRightly(entry) && readUpdate(entry.update) !== undefined ? undefined : 'bad_update';
}

/** Whether the one who sent this broke the protocol by it: an honest peer has looked at what it passes on. */
export const isOffence = ({ reason }: Rejection): boolean => OFFENCES.has(reason);

const isBeyond = (entry: SignedUpdate, { epoch, seq }: Dropped) =>
  entry.epoch > epoch || (entry.epoch === epoch && entry.seq > seq);

function logIsFull(): TabmeshError {
  return new TabmeshError('quota_exceeded', 'this device has written as much into this room as a device may', {
    hint: 'Delete datasets that you no longer need, or open a new room for further work.',
  });
}

function copiedDevice(): TabmeshError {
  return new TabmeshError('conflict', 'another copy of this device has written into this room under the same key', {
    hint: 'Delete the data of one of the two copies and join again.',
  });
}
