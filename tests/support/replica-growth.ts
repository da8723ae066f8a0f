import { expect } from 'vitest';
import { COMPACT_BYTES, COMPACT_ENTRIES, ENTRY_OVERHEAD_BYTES } from '../../src/mesh/replica/limits.ts';
import { createReplica } from '../../src/mesh/replica/replica.ts';
import type { RoomReplica } from '../../src/mesh/replica/replica.ts';
import { createMemoryStore } from '../../src/mesh/storage/kv-memory.ts';
import { createProcessLock } from '../../src/mesh/storage/lock.ts';
import { newRoom } from './new-room.ts';
import { datasetSummary, exchange, newDevice, testCid } from './replica.ts';

/** Datasets that a device lists at a time in these tests. */
const LISTED = 8;
/** A snapshot of {@link LISTED} datasets is one entry; an entry more is what the write adds that makes one due. */
const MAX_ENTRIES = COMPACT_ENTRIES + 2;
/** A summary in these tests takes about 500 bytes, in an update about as much. */
const SNAPSHOT_BYTES = LISTED * 1024;
const MAX_BYTES = Math.max(COMPACT_BYTES, SNAPSHOT_BYTES) + SNAPSHOT_BYTES + MAX_ENTRIES * ENTRY_OVERHEAD_BYTES;

/**
 * Opens and closes a device's replica again and again, writing each time, while another device follows.
 * @param count.sessions how often it is opened
 * @param count.updates how many changes it makes each time
 * @param count.followEvery after how many sessions the other device is brought up to date
 */
export async function expectBoundedGrowth(count: {
  readonly sessions: number;
  readonly updates: number;
  readonly followEvery: number;
}): Promise<void> {
  const { room } = newRoom();
  const options = { room, deviceKey: await newDevice(), store: createMemoryStore(), lock: createProcessLock() };
  const followerStore = createMemoryStore();
  const follower = await createReplica({
    room,
    deviceKey: await newDevice(),
    store: followerStore,
    lock: createProcessLock(),
  });
  let replica: RoomReplica = await createReplica(options);
  for (let session = 0; session < count.sessions; session++) {
    await replica.close();
    // as tabs do: everything is read from the store
    replica = await createReplica(options);
    for (let n = 0; n < count.updates; n++) {
      const dataset = (session + n) % (2 * LISTED);
      if (dataset < LISTED) await replica.putDataset(datasetSummary(dataset, `session ${session}, update ${n}`));
      else await replica.removeDataset(testCid(dataset - LISTED));
    }
    if (session % count.followEvery === 0) await exchange(replica, follower);
    if (session % count.followEvery === 0) {
      for (const store of [options.store, followerStore]) {
        const { entries, bytes } = await sizeOf(store);
        expect(entries).toBeLessThanOrEqual(MAX_ENTRIES);
        expect(bytes).toBeLessThanOrEqual(MAX_BYTES);
        expect(await store.get<number>('replica/total')).toBeLessThanOrEqual(MAX_BYTES);
      }
    }
  }
  await exchange(replica, follower);
  expect(follower.state()).toEqual(replica.state());
  expect((await sizeOf(followerStore)).entries).toBe((await sizeOf(options.store)).entries);
  await Promise.all([replica.close(), follower.close()]);
}

async function sizeOf(store: ReturnType<typeof createMemoryStore>): Promise<{ entries: number; bytes: number }> {
  const keys = await store.keys('replica/entry/');
  const values = await Promise.all(keys.map((key) => store.get<Uint8Array>(key)));
  return { entries: keys.length, bytes: values.reduce((sum, value) => sum + (value?.byteLength ?? 0), 0) };
}
