import type { KeyValueStore } from '../contracts/kv.ts';
import { FORMAT_VERSIONS } from '../contracts/versions.ts';
import type { RunEvent, RunStore } from '../contracts/workflow.ts';
import { TabmeshError, toTabmeshError } from '../lib/errors.ts';
import type { RunId } from '../lib/ids.ts';
import { mapBounded } from '../lib/semaphore.ts';

/**
 * Runs kept. Months of daily use; a run stores a few KB, or some 300 KB when it collected 10,000 records, so the
 * history stays small beside the data.
 */
const MAX_RUNS = 200;

/** Reads of the database at once: enough that it is never idle between two. */
const READ_PARALLEL = 16;

const HEADS = 'run/head/';
const EVENTS = 'run/event/';
/** Digits of an event's number in its key, so that keys sort as numbers do. */
const SEQ_DIGITS = 8;

/** What is known of a run without its events; changed in one transaction with them. */
interface Head {
  readonly version: number;
  /** ms since the epoch */
  readonly createdAt: number;
  /** events stored */
  readonly count: number;
  readonly ended: boolean;
}

export interface RunStoreOptions {
  /** see {@link MAX_RUNS} */
  readonly maxRuns?: number;
}

/**
 * Keeps runs in a key-value store, one key for each event. When a run is added beyond the limit, the oldest that have
 * ended are deleted. All methods throw `storage_failed` or `quota_exceeded` when the store fails, and `format_newer` for
 * a run that a newer version of the app stored, which stays untouched.
 */
export function createRunStore(kv: KeyValueStore, { maxRuns = MAX_RUNS }: RunStoreOptions = {}): RunStore {
  const readHead = async (runId: RunId): Promise<Head | undefined> => {
    const head = await kv.get<Head>(HEADS + runId);
    if (head !== undefined && head.version > FORMAT_VERSIONS.run) throw newer(runId, head.version);
    return head;
  };

  const newestFirst = async (): Promise<readonly { readonly runId: RunId; readonly head: Head }[]> => {
    const runs = await mapBounded(await kv.keys(HEADS), READ_PARALLEL, async (key) => ({
      runId: key.slice(HEADS.length) as RunId,
      head: await kv.get<Head>(key),
    }));
    return runs
      .flatMap(({ runId, head }) => (head === undefined ? [] : [{ runId, head }]))
      .sort((a, b) => b.head.createdAt - a.head.createdAt || (a.runId < b.runId ? -1 : 1));
  };

  const remove = async (runId: RunId): Promise<void> => {
    const keys = [...(await kv.keys(`${EVENTS}${runId}/`)), HEADS + runId];
    await kv.batch(keys.map((key) => ({ key, value: undefined })));
  };

  const makeRoom = async (): Promise<void> => {
    const runs = await newestFirst();
    const excess = Math.max(0, runs.length + 1 - maxRuns);
    const oldest = runs
      .filter(({ head }) => head.ended && head.version <= FORMAT_VERSIONS.run)
      .toReversed()
      .slice(0, excess);
    for (const { runId } of oldest) await remove(runId);
  };

  return {
    append: (runId, events) =>
      storing(async () => {
        const [first] = events;
        if (first === undefined) return;
        const head = await readHead(runId);
        const count = head?.count ?? 0;
        if (events.some((event, index) => event.seq !== count + index)) throw overtaken(runId, count, first.seq);
        if (head === undefined) await makeRoom();
        const next: Head = {
          version: FORMAT_VERSIONS.run,
          createdAt: head?.createdAt ?? first.at,
          count: count + events.length,
          ended: events.some(endsRun),
        };
        const writes = events.map((event) => ({ key: eventKey(runId, event.seq), value: event }));
        await kv.batch([...writes, { key: HEADS + runId, value: next }]);
      }),
    events: (runId) =>
      storing(async () => {
        const head = await readHead(runId);
        if (head === undefined) throw new TabmeshError('not_found', `there is no run ${runId}`);
        const seqs = Array.from({ length: head.count }, (_, seq) => seq);
        return mapBounded(seqs, READ_PARALLEL, async (seq) => {
          const event = await kv.get<RunEvent>(eventKey(runId, seq));
          if (event === undefined) throw new TabmeshError('corrupt', `event ${seq} of the run ${runId} is missing`);
          return event;
        });
      }),
    list: () => storing(async () => (await newestFirst()).map(({ runId }) => runId)),
    delete: (runId) =>
      storing(async () => {
        await readHead(runId);
        await remove(runId);
      }),
  };
}

function eventKey(runId: RunId, seq: number): string {
  return `${EVENTS}${runId}/${String(seq).padStart(SEQ_DIGITS, '0')}`;
}

function endsRun({ type }: RunEvent): boolean {
  return type === 'run_completed' || type === 'run_failed' || type === 'run_cancelled';
}

async function storing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw toTabmeshError(thrown, 'storage_failed');
  }
}

function overtaken(runId: RunId, stored: number, got: number): TabmeshError {
  return new TabmeshError('conflict', `the run ${runId} has ${stored} events, so event ${got} cannot be its next`, {
    hint: 'The run exists already, was deleted, or was ended by another tab.',
  });
}

function newer(runId: RunId, version: number): TabmeshError {
  return new TabmeshError('format_newer', `the run ${runId} was stored by a newer version of the app`, {
    hint: 'Update this app to see it.',
    details: { version },
  });
}
