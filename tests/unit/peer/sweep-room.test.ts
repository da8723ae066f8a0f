import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeviceBlocks } from '../../../src/contracts/dataset.ts';
import type { RunEvent, RunState } from '../../../src/contracts/workflow.ts';
import { datasetBlocks } from '../../../src/data/blocks.ts';
import { encodeBlock } from '../../../src/data/codec.ts';
import { sweepBlocks } from '../../../src/data/sweep.ts';
import { writeDataset } from '../../../src/data/write.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { DeviceId, RunId, StepId } from '../../../src/lib/ids.ts';
import { lineLog } from '../../../src/lib/log.ts';
import { newRoom } from '../../support/new-room.ts';
import { createReplica } from '../../../src/mesh/replica/replica.ts';
import { createBlockStore } from '../../../src/mesh/storage/blocks.ts';
import { createProcessHold } from '../../../src/mesh/storage/hold.ts';
import { createMemoryStore } from '../../../src/mesh/storage/kv-memory.ts';
import { createProcessLock } from '../../../src/mesh/storage/lock.ts';
import { sweepRoom, type SweepRoomOptions } from '../../../src/peer/room/sweep-room.ts';
import { foldRun } from '../../../src/workflow/fold.ts';
import { collectLiterature } from '../../../src/workflow/templates/collect-literature.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { newDevice } from '../../support/replica.ts';
import { collected, NEVER, provenance, record } from '../data/support.ts';

const DEVICE = 'device' as DeviceId;

/** Time passes at once, but others have a turn. */
const promptClock: Clock = {
  now: () => 0,
  sleep: (_, signal) =>
    new Promise((resolve, reject) => {
      setImmediate(() => {
        if (signal?.aborted === true) reject(signal.reason as Error);
        else resolve();
      });
    }),
  // nothing takes long here
  after: () => () => undefined,
};

type Summary = Awaited<ReturnType<typeof writeDataset>>['summary'];

/** One device's room without network: what it stores, and what it lists. */
function device(changes: Partial<SweepRoomOptions> = {}) {
  const blocks = createBlockStore(createMemoryStore());
  const store = createMemoryStore();
  const hold = createProcessHold();
  const listed = new Map<string, Summary>();
  const runs: RunState[] = [];
  const lines: string[] = [];
  const removed: string[] = [];
  const clock = changes.clock ?? promptClock;
  const options: SweepRoomOptions = {
    replica: { device: DEVICE, ownDatasets: () => Promise.resolve([...listed.values()]) },
    store,
    hold,
    search: {
      remove: async (dataset) => {
        removed.push(dataset);
        await store.delete(`search/segment/${dataset}`);
      },
    },
    runs: { list: () => runs },
    sweep: (roots, signal) => sweepBlocks(blocks, roots, { clock, signal }),
    clock,
    log: lineLog((line) => lines.push(line), '', ['debug', 'info', 'warn', 'error']),
    ...changes,
  };
  return {
    blocks,
    store,
    hold,
    listed,
    runs,
    lines,
    removed,
    sweep: (signal: AbortSignal = NEVER) => sweepRoom(options, signal),
    held: async () => new Set(await collected(blocks.list())),
  };
}

async function write(blocks: DeviceBlocks, ids: readonly (string | number)[]): Promise<Summary> {
  const records = ids.map((id) => record(String(id)));
  return (await writeDataset({ records, name: 'a dataset', provenance: provenance() }, blocks, NEVER)).summary;
}

async function putBatch(blocks: DeviceBlocks, run: string): Promise<void> {
  await blocks.putMany([await encodeBlock({ run, records: [record(run)] }, 'a batch')]);
}

const blocksOf = async (blocks: DeviceBlocks, summary: Summary) =>
  new Set(await collected(datasetBlocks(summary, blocks, NEVER)));

/** A run of `collect_literature` whose dataset was written, and that failed after that. */
function failedAfterWriting(summary: Summary): RunState {
  const error = new TabmeshError('quota_exceeded', 'no room').toWire();
  const bodies = [
    { type: 'run_created', runId: 'run' as RunId, definition: collectLiterature, inputs: {} },
    { type: 'run_started' },
    ...collectLiterature.steps.slice(0, 3).flatMap(({ id, action }) => [
      { type: 'step_started' as const, step: id, inputs: {} },
      { type: 'step_completed' as const, step: id, result: action === 'dataset.write' ? { ...summary } : {} },
    ]),
    { type: 'step_started', step: collectLiterature.steps[3]?.id ?? ('' as StepId), inputs: {} },
    { type: 'step_failed', step: collectLiterature.steps[3]?.id ?? ('' as StepId), error },
    { type: 'run_failed', error },
  ];
  return foldRun(bodies.map((body, seq) => ({ ...body, seq, at: seq }) as RunEvent));
}

describe('the sweep of a room', () => {
  it('deletes what is not listed, says so, and keeps silent when there was nothing', async () => {
    const room = device();
    const kept = await write(room.blocks, [1, 2]);
    room.listed.set(kept.data, kept);
    await write(room.blocks, [2, 3]);
    await putBatch(room.blocks, 'dead');
    await room.sweep();
    expect(await room.held()).toEqual(await blocksOf(room.blocks, kept));
    expect(room.lines).toEqual([expect.stringMatching(/info unlisted blocks deleted deleted=5 kept=5 /)]);
    await room.sweep();
    expect(room.lines).toHaveLength(1);
  });

  it('deletes nothing when what is listed cannot be told or read', async () => {
    const newer = new TabmeshError('format_newer', 'of a newer app');
    const untold = device({ replica: { device: DEVICE, ownDatasets: () => Promise.reject(newer) } });
    const torn = device();
    const damaged = await write(torn.blocks, [1]);
    torn.listed.set(damaged.data, damaged);
    await torn.blocks.delete(damaged.data);
    for (const room of [untold, torn]) {
      await putBatch(room.blocks, 'dead');
      const before = await room.held();
      await room.sweep();
      expect(await room.held()).toEqual(before);
      expect(room.lines).toEqual([expect.stringMatching(/ warn unlisted blocks not deleted reason=/)]);
    }
  });

  it('leaves what another key of this device has stored', async () => {
    const first = device();
    await first.sweep();
    expect(await first.store.get('room/device')).toBe(DEVICE);
    const second = device({
      store: first.store,
      replica: { device: 'other' as DeviceId, ownDatasets: () => Promise.resolve([]) },
    });
    await write(second.blocks, [1]);
    const before = await second.held();
    await second.sweep();
    expect(await second.held()).toEqual(before);
    expect(second.lines).toEqual([expect.stringContaining('another key')]);
  });

  it('keeps what a failed run wrote and could not list, as long as the run is known', async () => {
    const room = device();
    const written = await write(room.blocks, [1, 2]);
    const run = failedAfterWriting(written);
    expect(run.status).toBe('failed');
    room.runs.push(run);
    await putBatch(room.blocks, 'dead');
    await room.sweep();
    expect(await room.held()).toEqual(await blocksOf(room.blocks, written));
    room.runs.pop();
    await room.sweep();
    expect(await room.held()).toEqual(new Set());
  });

  it('takes datasets out of the index that are not listed any more', async () => {
    const room = device();
    const kept = await write(room.blocks, [1]);
    room.listed.set(kept.data, kept);
    await room.store.put(`search/segment/${kept.data}`, 'kept');
    await room.store.put('search/segment/bafygone', 'left');
    await room.sweep();
    expect(room.removed).toEqual(['bafygone']);
    expect(await room.store.keys('search/')).toEqual([`search/segment/${kept.data}`]);
  });

  it('is ended by the closing of the room, before it began and while it is going on', async () => {
    const room = device();
    await putBatch(room.blocks, 'dead');
    await room.sweep(AbortSignal.abort());
    const closing = new AbortController();
    const begun = Promise.withResolvers<undefined>();
    const slow = device({
      sweep: (_, signal) =>
        new Promise((_resolve, reject) => {
          begun.resolve(undefined);
          signal.addEventListener('abort', () => {
            reject(signal.reason as Error);
          });
        }),
    });
    const sweeping = slow.sweep(closing.signal);
    await begun.promise;
    closing.abort();
    await sweeping;
    expect((await room.held()).size).toBe(1);
    for (const line of [...room.lines, ...slow.lines]) expect(line).toMatch(/^ debug unlisted blocks not deleted/);
  });

  it('sees what another tab of the device has listed a moment ago', async () => {
    const { room: id } = newRoom();
    const deviceKey = await newDevice();
    const store = createMemoryStore();
    const lock = createProcessLock();
    // tabs that do not hear of each other: no sibling channel
    const openTab = () => createReplica({ room: id, deviceKey, store, lock });
    const [here, there] = [await openTab(), await openTab()];
    const tab = device({ store, replica: here });
    const written = await write(tab.blocks, [1, 2]);
    await there.putDataset(written);
    expect(here.state().devices[deviceKey.id]?.datasets ?? {}).toEqual({});
    await putBatch(tab.blocks, 'dead');
    await tab.sweep();
    expect(await tab.held()).toEqual(await blocksOf(tab.blocks, written));
    expect(tab.lines).toEqual([expect.stringContaining('deleted=1 kept=5')]);
    for (const replica of [here, there]) await replica.close();
  });

  it('never costs anybody who writes anything, in whatever order things happen', async () => {
    const anyRun = fc.record({
      ids: fc.uniqueArray(fc.nat({ max: 9 }), { minLength: 1, maxLength: 5 }),
      /** where its tab dies: after the batch, after the dataset was written, or not at all */
      dies: fc.constantFrom('batch', 'written', 'never'),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(anyRun, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 4 }),
        async (scheduler, runs, sweeps) => {
          const step = (what: string) => scheduler.schedule(Promise.resolve(), what);
          let ended = false;
          // a sweep goes on when it is its turn, as everybody else
          const sleep: Clock['sleep'] = () => (ended ? Promise.resolve() : step('sweeping'));
          const room = device({ clock: { ...promptClock, sleep } });
          // encoded before: hashing would let the sweeps always come first
          const prepared = await Promise.all(
            runs.map(async ({ ids }) => {
              const blocks = createBlockStore(createMemoryStore());
              const summary = await write(blocks, ids);
              const copied = [...(await blocksOf(blocks, summary))];
              return {
                summary,
                blocks: await Promise.all(copied.map(async (cid) => ({ cid, bytes: await blocks.get(cid) }))),
              };
            }),
          );
          const going = runs.map(async ({ dies }, n) => {
            const dataset = prepared[n];
            if (dataset === undefined) throw new Error('each run has a dataset');
            await step(`run ${n} starts`);
            await room.hold.writing(async () => {
              await putBatch(room.blocks, `run ${n}`);
              await step(`batch ${n}`);
              if (dies === 'batch') return;
              await room.blocks.putMany(dataset.blocks);
              await step(`dataset ${n}`);
              if (dies === 'written') return;
              room.listed.set(dataset.summary.data, dataset.summary);
            });
          });
          const sweeping = Array.from({ length: sweeps }, async (_, n) => {
            await step(`sweep ${n}`);
            await room.sweep();
          });
          await scheduler.waitFor(Promise.all([...going, ...sweeping]));
          ended = true;
          const kept = new Set<string>();
          for (const summary of room.listed.values()) {
            for (const cid of await blocksOf(room.blocks, summary)) {
              expect(await room.blocks.has(cid)).toBe(true);
              kept.add(cid);
            }
          }
          await room.sweep();
          expect(await room.held()).toEqual(kept);
        },
      ),
      { numRuns: 60 },
    );
  });
});
