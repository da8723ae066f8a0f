import type { DeviceView, Heads, LogPosition, SignedUpdate } from '../../contracts/replica.ts';
import type { DeviceId } from '../../lib/ids.ts';
import type { Log } from '../../lib/log.ts';
import type { AuthorHead } from './chain.ts';
import { createDeviceDoc } from './doc.ts';
import type { DeviceDoc } from './doc.ts';
import { foldDevice } from './fold.ts';
import { GENESIS } from './entry.ts';
import type { ReplicaLog } from './log.ts';

/** The documents of all devices in memory, each as far as its log was read. */
export interface DeviceDocs {
  get(author: DeviceId): DeviceDoc;
  views(): Iterable<DeviceView>;
  heads(): Heads;
  /**
   * Applies entries that were just stored; reads from the log what lies between.
   * @param heads of all authors of whom something changed
   * @returns whether anything was new
   */
  follow(entries: readonly SignedUpdate[], heads: ReadonlyMap<DeviceId, AuthorHead>): Promise<boolean>;
  /** Reads on to the end of an author's log. @returns whether anything was new */
  catchUp(author: DeviceId): Promise<boolean>;
  /** Forgets what was not stored: the document is read again from the log. */
  rebuild(author: DeviceId): Promise<void>;
}

interface LoadedDoc {
  readonly epoch: number;
  /** the `seq` of the fork before which the log ends */
  readonly fork: number | undefined;
  seq: number;
  hash: Uint8Array;
  staged: LogPosition['staged'];
  readonly doc: DeviceDoc;
  view: DeviceView;
}

/** @param log where refused content is reported: it is a member's doing, and nothing else stops for it */
export function createDeviceDocs(replicaLog: Pick<ReplicaLog, 'head' | 'read'>, log: Log): DeviceDocs {
  const docs = new Map<DeviceId, LoadedDoc>();

  const fold = (author: DeviceId, doc: DeviceDoc, fork: number | undefined) => {
    const { view, problems } = foldDevice(author, doc.content());
    return { problems, view: fork === undefined ? view : ({ ...view, forked: true } as const) };
  };

  const start = (author: DeviceId, epoch: number, fork?: number): LoadedDoc => {
    const doc = createDeviceDoc();
    const { view } = fold(author, doc, fork);
    const loaded: LoadedDoc = { epoch, fork, seq: -1, hash: GENESIS, staged: undefined, doc, view };
    docs.set(author, loaded);
    return loaded;
  };

  const apply = (author: DeviceId, loaded: LoadedDoc, entries: readonly SignedUpdate[]) => {
    const problems = loaded.doc.apply(entries.map(({ update }) => update));
    for (const [index, { seq }] of entries.entries()) {
      const problem = problems[index];
      if (problem !== undefined) log.warn('replica.update_ignored', { author, seq, problem });
      loaded.seq = seq;
    }
    const folded = fold(author, loaded.doc, loaded.fork);
    loaded.view = folded.view;
    for (const problem of folded.problems) log.warn('replica.content_ignored', { author, problem });
  };

  /** Whether what was read is the beginning of the log that is held now. */
  const isOf = (loaded: LoadedDoc, head: AuthorHead) =>
    loaded.epoch === head.epoch && loaded.fork === head.fork?.seq && loaded.seq <= head.seq;

  const catchUpTo = async (author: DeviceId, head: AuthorHead) => {
    const known = docs.get(author);
    const isKnown = known !== undefined && isOf(known, head);
    const loaded = isKnown ? known : start(author, head.epoch, head.fork?.seq);
    loaded.staged = stagedOf(head);
    if (loaded.seq >= head.seq) return !isKnown;
    apply(author, loaded, await replicaLog.read(author, head.epoch, loaded.seq + 1, head.seq - loaded.seq));
    loaded.hash = head.hash;
    return true;
  };

  const catchUp = async (author: DeviceId) => {
    const head = await replicaLog.head(author);
    return head === undefined ? docs.delete(author) : await catchUpTo(author, head);
  };

  return {
    get: (author) => (docs.get(author) ?? start(author, 0)).doc,
    // a document that was made for a first write, which has not been stored yet, is no device of the room
    views: function* () {
      for (const { seq, fork, view } of docs.values()) if (seq >= 0 || fork !== undefined) yield view;
    },
    heads: () => {
      const heads: Record<DeviceId, LogPosition> = {};
      for (const [author, { epoch, seq, hash, fork, staged }] of docs) {
        if (seq < 0 && fork === undefined && staged === undefined) continue;
        const known = { ...(fork === undefined ? {} : { fork }), ...(staged === undefined ? {} : { staged }) };
        heads[author] = { epoch, seq, hash, ...known };
      }
      return heads;
    },
    catchUp,
    follow: async (entries, heads) => {
      const byAuthor = Map.groupBy(entries, (entry) => entry.author);
      let changed = false;
      for (const [author, head] of heads) {
        const loaded = docs.get(author);
        const own = byAuthor.get(author)?.filter(({ epoch }) => epoch === head.epoch);
        const isNext = loaded !== undefined && isOf(loaded, head) && own?.[0]?.seq === loaded.seq + 1;
        if (isNext && own.at(-1)?.seq === head.seq) {
          apply(author, loaded, own);
          loaded.hash = head.hash;
          loaded.staged = stagedOf(head);
          changed = true;
        } else if (await catchUpTo(author, head)) changed = true;
      }
      return changed;
    },
    rebuild: async (author) => {
      docs.delete(author);
      await catchUp(author);
    },
  };
}

function stagedOf({ staged }: AuthorHead): LogPosition['staged'] {
  return staged === null ? undefined : { epoch: staged.epoch, seq: staged.seq, hash: staged.hash };
}
