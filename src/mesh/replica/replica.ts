import { equalityDeep } from 'lib0/function';
import type { DatasetSummary } from '../../contracts/dataset.ts';
import type { KeyValueStore } from '../../contracts/kv.ts';
import type { Heads, Replica, RoomState, SignedUpdate } from '../../contracts/replica.ts';
import { FORMAT_VERSIONS } from '../../contracts/versions.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Clock } from '../../lib/clock.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import type { DeviceId, RoomId } from '../../lib/ids.ts';
import { createListeners } from '../../lib/listeners.ts';
import { silentLog } from '../../lib/log.ts';
import type { Log } from '../../lib/log.ts';
import type { DeviceKey } from '../identity/device-key.ts';
import type { WriteLock } from '../storage/lock.ts';
import { openVersioned } from '../storage/versioned.ts';
import { isCompactionDue, isMuchLarger, mayBeCompactedAtOpening } from './compaction.ts';
import { createDeviceDocs } from './device-docs.ts';
import type { DocMaps } from './doc.ts';
import { foldDevice, foldRoom } from './fold.ts';
import { createReplicaLog } from './log.ts';
import type { Accepted, LogWriter } from './log.ts';
import { logMigrations } from './log-store.ts';
import { entriesMissing } from './missing.ts';
import { sweepAuthors } from './retention.ts';
import { readDatasetSummary, readDeviceName, readRelayOffer, readSegmentManifest } from './shapes.ts';
import { MAX_REVOCATIONS, readRevocation } from './revocation-shape.ts';
import type { SiblingChannel } from './sibling-channel.ts';

/** The replica with what its synchronisation needs; the rest of the program sees {@link Replica}. */
export interface RoomReplica extends Replica {
  heads(): Heads;
  /**
   * The datasets that this device lists, read to the end of its log: another tab of it may have written since `state`.
   * @throws `format_newer` when the device lists something that this version cannot read, `conflict` when it is forked: then
   * these are not all
   */
  ownDatasets(): Promise<readonly DatasetSummary[]>;
  /** what somebody with these heads lacks, in the order of the logs; at most `limit` entries and one batch of bytes */
  entriesSince(heads: Heads, limit: number): Promise<readonly SignedUpdate[]>;
  /**
   * Takes entries from anywhere. Durable when it resolves. A bad entry is reported and stops its author's others, nothing else.
   * @throws `quota_exceeded`, `storage_failed`; nothing was taken then
   */
  apply(entries: readonly SignedUpdate[]): Promise<Accepted>;
  /** after any log has grown, by this tab or another of the device; returns the unsubscribe function */
  onEntries(listener: () => void): () => void;
  /** Remembers that the device is in the room: it is not taken to have left. @throws `storage_failed` */
  seen(device: DeviceId): Promise<void>;
}

export interface ReplicaOptions {
  readonly room: RoomId;
  readonly deviceKey: DeviceKey;
  /** the room's store; its owner closes it, after the replica */
  readonly store: KeyValueStore;
  /** shared by all who write to this store */
  readonly lock: WriteLock;
  /** the other tabs of the device, where there can be some; closed with the replica */
  readonly siblings?: SiblingChannel;
  /** tells how long devices have been away, and numbers new logs */
  readonly clock?: Clock;
  readonly log?: Log;
}

/**
 * Opens the replica of a room from its store.
 * @throws `format_newer` when a newer app wrote it, `corrupt`, `storage_failed`
 */
export async function createReplica(options: ReplicaOptions): Promise<RoomReplica> {
  const { room, deviceKey, store, lock, siblings, clock = systemClock, log = silentLog } = options;
  const self = deviceKey.id;
  const closing = new AbortController();
  const replicaLog = createReplicaLog({ room, store, lock, now: () => clock.now() });
  const docs = createDeviceDocs(replicaLog, log);
  const stateChanged = createListeners();
  const logGrew = createListeners();
  /** where the logs of devices end that were dropped: what is new of them may come */
  let dropped: Heads = {};
  let state: RoomState = foldRoom([]);

  const publish = () => {
    state = foldRoom(docs.views());
    stateChanged.notify();
    logGrew.notify();
  };

  const exclusive: typeof replicaLog.exclusive = async (work) => {
    try {
      return await replicaLog.exclusive(work, closing.signal);
    } catch (thrown) {
      throw closing.signal.aborted ? closedError() : toTabmeshError(thrown, 'storage_failed');
    }
  };

  const refresh = async (authors: readonly DeviceId[]) => {
    const changed = await exclusive(async () => {
      let any = false;
      for (const author of authors) any = (await docs.catchUp(author)) || any;
      return any;
    });
    if (changed) publish();
  };

  /** Replaces this device's log by a snapshot of its document, which is read to its end and in no other tab's hands. */
  const compact = async (writer: LogWriter, isWorthIt: (snapshot: readonly Uint8Array[]) => boolean = () => true) => {
    const snapshot = docs.get(self).snapshot();
    // what a newer app has listed stays as it wrote it
    if (snapshot === undefined || !isWorthIt(snapshot)) return;
    try {
      await writer.replace(deviceKey, snapshot);
      await docs.catchUp(self);
    } catch (thrown) {
      // a full disk is no reason to fail what has been written, nor to keep the room shut: the log is as it was
      log.warn('replica.not_compacted', { error: toTabmeshError(thrown).toWire() });
    }
  };

  const compactAtOpening = async (writer: LogWriter) => {
    const head = await replicaLog.head(self);
    if (head?.fork !== null || !mayBeCompactedAtOpening(head)) return;
    await compact(writer, (snapshot) => isMuchLarger(head, snapshot));
  };

  /** Changes this device's document; another tab may have written since, so its log is read to the end first. */
  const write = async (mutate: (maps: DocMaps) => void) => {
    const [caughtUp, entry] = await exclusive(async (writer) => {
      const news = await docs.catchUp(self);
      const update = docs.get(self).change(mutate);
      if (update === undefined) return [news, undefined] as const;
      try {
        const { entry: appended, head } = await writer.append(deviceKey, update);
        await docs.follow([appended], new Map([[self, head]]));
        if (isCompactionDue(head)) await compact(writer);
        return [news, appended] as const;
      } catch (thrown) {
        await docs.rebuild(self);
        throw thrown;
      }
    });
    if (caughtUp || entry !== undefined) publish();
    if (entry !== undefined) siblings?.announce([self]);
  };

  await exclusive(async (writer) => {
    await openVersioned(store, 'replica', FORMAT_VERSIONS.replica, logMigrations(clock.now()));
    for (const author of await replicaLog.authors()) await docs.catchUp(author);
    await compactAtOpening(writer);
    const content = (author: DeviceId) => docs.get(author).content();
    const left = await sweepAuthors({ ...replicaLog, ...writer, content }, self, clock.now());
    for (const author of left) await docs.catchUp(author);
    if (left.length > 0) siblings?.announce(left);
    dropped = Object.fromEntries(await replicaLog.dropped());
  });
  state = foldRoom(docs.views());
  const unsubscribe = siblings?.subscribe((authors) => {
    refresh(authors).catch((thrown: unknown) => {
      if (!closing.signal.aborted) log.warn('replica.refresh_failed', { error: toTabmeshError(thrown).toWire() });
    });
  });

  return {
    device: self,
    state: () => state,
    setProfile: async ({ name, kind, relay }) => {
      if (readDeviceName(name) === undefined) throw invalid('a device name');
      if (relay !== undefined && readRelayOffer(relay) === undefined) throw invalid('how a relay is used');
      await write(({ profile }) => {
        setChanged(profile, 'name', name);
        setChanged(profile, 'kind', kind);
        if (relay !== undefined) setChanged(profile, 'relay', { ...relay, addresses: [...relay.addresses] });
        else if (profile.has('relay')) profile.delete('relay');
      });
    },
    putDataset: async (value) => {
      const summary = readDatasetSummary(value);
      if (summary === undefined) throw invalid('a dataset summary');
      await write(({ datasets }) => {
        setChanged(datasets, summary.data, summary);
      });
    },
    removeDataset: (data) =>
      write(({ datasets }) => {
        datasets.delete(data);
      }),
    putSegment: async (value) => {
      const segment = readSegmentManifest(value);
      if (segment === undefined) throw invalid('a segment manifest');
      await write(({ segments }) => {
        setChanged(segments, segment.dataset, segment);
      });
    },
    removeSegment: (dataset) =>
      write(({ segments }) => {
        segments.delete(dataset);
      }),
    putRevocation: async (value) => {
      const record = readRevocation(value);
      if (record === undefined) throw invalid('a revocation');
      if (Object.keys(state.devices[self]?.revocations ?? {}).length >= MAX_REVOCATIONS) {
        throw new TabmeshError('rate_limited', `this device has revoked ${MAX_REVOCATIONS} grants in this room`);
      }
      await write(({ revocations }) => {
        setChanged(revocations, record.revoked_delegation_cid, record);
      });
    },
    subscribe: (listener) =>
      stateChanged.add(() => {
        listener(state);
      }),
    heads: () => ({ ...dropped, ...docs.heads() }),
    ownDatasets: async () => {
      const [news, { view, problems }] = await exclusive(async () => {
        if ((await replicaLog.head(self))?.fork) throw forkedError();
        const changed = await docs.catchUp(self);
        return [changed, foldDevice(self, docs.get(self).content())] as const;
      });
      if (news) publish();
      if (problems.length > 0) {
        throw new TabmeshError('format_newer', `this device lists what this app cannot read: ${problems.join('; ')}`, {
          hint: 'Update this app.',
        });
      }
      return Object.values(view.datasets);
    },
    entriesSince: (heads, limit) => entriesMissing(replicaLog, docs.heads(), heads, limit),
    apply: async (entries) => {
      const screened = await replicaLog.screen(entries);
      const result = await exclusive(async (writer) => {
        const outcome = await writer.accept(screened.good);
        dropped = Object.fromEntries(await replicaLog.dropped());
        return { ...outcome, changed: await docs.follow(outcome.accepted, outcome.heads) };
      });
      const rejected = [...screened.rejected, ...result.rejected];
      for (const { author, reason } of rejected) {
        // those two are nobody's fault, and come again and again
        const level = reason === 'gap' || reason === 'cut_off' ? 'debug' : 'warn';
        log[level]('replica.entries_rejected', { author, reason });
      }
      if (result.changed) publish();
      if (result.heads.size > 0) siblings?.announce([...result.heads.keys()]);
      return { accepted: result.accepted, rejected };
    },
    onEntries: (listener) => logGrew.add(listener),
    seen: (device) =>
      exclusive(async (writer) => {
        if (await writer.seen(device)) dropped = Object.fromEntries(await replicaLog.dropped());
      }),
    close: async () => {
      if (closing.signal.aborted) return;
      closing.abort(closedError());
      unsubscribe?.();
      siblings?.close();
      // what holds the lock now is finished before the owner closes the store
      await lock.run(() => Promise.resolve());
    },
  };
}

/** Writing what is there already would make an entry for nothing, on every device, for ever. */
function setChanged(map: DocMaps[keyof DocMaps], key: string, value: unknown): void {
  if (!equalityDeep(map.get(key), value)) map.set(key, value);
}

function invalid(what: string): TabmeshError {
  return new TabmeshError('invalid_input', `not ${what} that the room would accept`);
}

/** What the two had in common is not all that is stored here. */
function forkedError(): TabmeshError {
  return new TabmeshError('conflict', 'a copy of this device has written under the same key: its list was cut short', {
    hint: 'Start anew in this room.',
  });
}

function closedError(): TabmeshError {
  return new TabmeshError('cancelled', 'the room is closed');
}
