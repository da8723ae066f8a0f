import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { DatasetSummary } from '../../src/contracts/dataset.ts';
import { exportCar } from '../../src/data/car-export.ts';
import { encodeBlock } from '../../src/data/codec.ts';
import { writeDataset } from '../../src/data/write.ts';
import { systemClock, type Clock } from '../../src/lib/clock.ts';
import { TabmeshError } from '../../src/lib/errors.ts';
import { lineLog } from '../../src/lib/log.ts';
import { newRoom } from '../support/new-room.ts';
import { openFsBlocks } from '../../src/mesh/storage/blocks-fs.node.ts';
import { createBlockStore } from '../../src/mesh/storage/blocks.ts';
import { createMemoryStore } from '../../src/mesh/storage/kv-memory.ts';
import { startHeadlessRoom, type HeadlessRoom } from '../../src/peer/node/start-room.ts';
import { hastyClock } from '../support/hasty-clock.ts';
import { Cleanups } from '../support/live-peers.ts';
import { newDevice } from '../support/replica.ts';
import { collected, provenance, record } from '../unit/data/support.ts';
import { memoryAudit } from '../support/audit.ts';

/** Whoever sleeps is woken 50 times as early, so the sweep begins soon; time limits are as they are. */
const clock: Clock = { ...systemClock, sleep: hastyClock(50).sleep };

const signal = AbortSignal.timeout(60_000);
const cleanups = new Cleanups();
afterEach(() => cleanups.run());

/** A folder of one device, in which a headless peer is started again and again. */
async function deviceFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'tabmesh-sweep-'));
  cleanups.add(() => rm(folder, { recursive: true, force: true }));
  const invite = { version: 2 as const, ...newRoom(), access: {}, roomName: 'a room', relays: [] };
  const deviceKey = await newDevice();
  return {
    blocks: () => openFsBlocks(join(folder, 'blocks')),
    /** @returns the running peer, and the first line that it logs about its sweep */
    async start(): Promise<{ readonly peer: HeadlessRoom; readonly swept: Promise<string> }> {
      const swept = Promise.withResolvers<string>();
      const peer = await startHeadlessRoom({
        remember: () => Promise.resolve(),
        invite,
        folder,
        deviceKey,
        relays: [],
        accessKey: () => null,
        announce: () => [],
        fetch: { get: () => Promise.reject(new TabmeshError('upstream_unreachable', 'no network')) },
        email: 'test@tabmesh.invalid',
        methods: {},
        audit: memoryAudit(clock),
        version: '0',
        clock,
        log: lineLog(
          (line) => {
            if (line.includes('unlisted blocks')) swept.resolve(line);
          },
          '',
          ['debug', 'info', 'warn', 'error'],
        ),
      });
      cleanups.add(() => peer.close());
      return { peer, swept: swept.promise };
    },
  };
}

/** A CAR file of one dataset. */
async function carOf(ids: readonly string[]): Promise<AsyncGenerator<Uint8Array, void, void>> {
  const blocks = createBlockStore(createMemoryStore());
  const records = ids.map((id) => record(id));
  const dataset = await writeDataset({ records, name: ids.join(), provenance: provenance() }, blocks, signal);
  return exportCar([dataset], blocks, signal);
}

it("a relay's peer deletes at its start what nothing lists any more, and keeps every dataset whole", async () => {
  const device = await deviceFolder();
  const summaries: DatasetSummary[] = [];
  const first = await device.start();
  for (const ids of [
    ['1', '2', '3'],
    ['3', '4'],
  ]) {
    summaries.push(...(await first.peer.room.datasets.import(await carOf(ids), signal)));
  }
  await first.peer.close();

  const blocks = await device.blocks();
  const kept = new Set(await collected(blocks.list()));
  const batch = await encodeBlock({ run: 'dead', records: [record('9')] }, 'a batch');
  const seen = await encodeBlock(record('8'), 'a record');
  await blocks.putMany([batch, seen]);
  // shares a record with what is kept
  await writeDataset({ records: [record('3'), record('7')], name: 'x', provenance: provenance() }, blocks, signal);

  const second = await device.start();
  expect(await second.swept).toMatch(/info unlisted blocks deleted deleted=6 kept=10 /);
  expect(new Set(await collected(blocks.list()))).toEqual(kept);
  const { datasets, search } = second.peer.room;
  expect(summaries.map(({ count }) => count)).toEqual([3, 2]);
  for (const { data, count } of summaries) {
    expect(await datasets.records(data, 0, 9, signal)).toHaveLength(count);
    expect((await datasets.manifest(data, signal)).data).toBe(data);
  }
  expect(await search.searchShard({ query: 'title', topK: 9 }, signal)).toMatchObject({ total: 4 });
  await second.peer.close();
});

it('a dataset that comes while the sweep is about to begin or going on is whole afterwards', async () => {
  const device = await deviceFolder();
  const blocks = await device.blocks();
  for (let n = 0; n < 400; n++) await blocks.putMany([await encodeBlock({ run: 'dead', n }, 'a block')]);
  const { peer, swept } = await device.start();
  const summaries: DatasetSummary[] = [];
  const over = swept.then(() => 'over');
  // one import after the other, until the sweep has been done or given up
  for (let n = 0; (await Promise.race([over, Promise.resolve('going on')])) !== 'over'; n++) {
    summaries.push(...(await peer.room.datasets.import(await carOf([`${n}`, `${n + 1}`]), signal)));
  }
  await peer.close();

  await blocks.putMany([await encodeBlock({ run: 'dead' }, 'a block')]);
  const again = await device.start();
  expect(await again.swept).toContain('info unlisted blocks deleted');
  expect(summaries.length).toBeGreaterThan(0);
  for (const { data } of summaries) expect(await again.peer.room.datasets.records(data, 0, 9, signal)).toHaveLength(2);
  await again.peer.close();
});
