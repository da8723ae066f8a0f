import type { DeviceView, Heads, SignedUpdate } from '../../contracts/replica.ts';
import type { DeviceId } from '../../lib/ids.ts';
import type { Log } from '../../lib/log.ts';
import { createDeviceDoc } from './doc.ts';
import type { DeviceDoc } from './doc.ts';
import { foldDevice } from './fold.ts';
import type { ReplicaLog } from './log.ts';

/** The documents of all devices in memory, each as far as its log was read. */
export interface DeviceDocs {
  get(author: DeviceId): DeviceDoc;
  views(): Iterable<DeviceView>;
  heads(): Heads;
  /** Applies entries that were just stored; reads from the log what lies between. @returns whether anything was new */
  follow(entries: readonly SignedUpdate[]): Promise<boolean>;
  /** Reads on to the end of an author's log. @returns whether anything was new */
  catchUp(author: DeviceId): Promise<boolean>;
  /** Forgets what was not stored: the document is read again from the log. */
  rebuild(author: DeviceId): Promise<void>;
}

interface LoadedDoc {
  readonly epoch: number;
  seq: number;
  readonly doc: DeviceDoc;
  view: DeviceView;
}

/** @param log where refused content is reported: it is a member's doing, and nothing else stops for it */
export function createDeviceDocs(replicaLog: Pick<ReplicaLog, 'head' | 'read'>, log: Log): DeviceDocs {
  const docs = new Map<DeviceId, LoadedDoc>();

  const start = (author: DeviceId, epoch: number): LoadedDoc => {
    const doc = createDeviceDoc();
    const loaded = { epoch, seq: -1, doc, view: foldDevice(author, doc.content()).view };
    docs.set(author, loaded);
    return loaded;
  };

  const apply = (author: DeviceId, loaded: LoadedDoc, entries: readonly SignedUpdate[]) => {
    for (const entry of entries) {
      const problem = loaded.doc.apply(entry.update);
      if (problem !== undefined) log.warn('replica.update_ignored', { author, seq: entry.seq, problem });
      loaded.seq = entry.seq;
    }
    const { view, problems } = foldDevice(author, loaded.doc.content());
    loaded.view = view;
    for (const problem of problems) log.warn('replica.content_ignored', { author, problem });
  };

  const catchUp = async (author: DeviceId) => {
    const head = await replicaLog.head(author);
    if (head === undefined) return false;
    const known = docs.get(author);
    const loaded = known?.epoch === head.epoch ? known : start(author, head.epoch);
    if (loaded.seq >= head.seq) return false;
    apply(author, loaded, await replicaLog.read(author, head.epoch, loaded.seq + 1, head.seq - loaded.seq));
    return true;
  };

  return {
    get: (author) => (docs.get(author) ?? start(author, 0)).doc,
    // a document that was made for a first write, which has not been stored yet, is no device of the room
    views: function* () {
      for (const { seq, view } of docs.values()) if (seq >= 0) yield view;
    },
    heads: () => {
      const read = [...docs].filter(([, { seq }]) => seq >= 0);
      return Object.fromEntries(read.map(([author, { epoch, seq }]) => [author, { epoch, seq }]));
    },
    catchUp,
    follow: async (entries) => {
      let changed = false;
      for (const [author, own] of Map.groupBy(entries, (entry) => entry.author)) {
        const loaded = docs.get(author);
        const first = own[0];
        if (first !== undefined && loaded?.epoch === first.epoch && loaded.seq + 1 === first.seq) {
          apply(author, loaded, own);
          changed = true;
        } else if (await catchUp(author)) changed = true;
      }
      return changed;
    },
    rebuild: async (author) => {
      docs.delete(author);
      await catchUp(author);
    },
  };
}
