import { describe, expect, it } from 'vitest';
import type { KeyValueStore } from '../../../src/contracts/kv.ts';
import type { SignedUpdate } from '../../../src/contracts/replica.ts';
import type { DeviceId } from '../../../src/lib/ids.ts';
import { createDeviceDoc } from '../../../src/mesh/replica/doc.ts';
import { encodeEntry } from '../../../src/mesh/replica/entry.ts';
import {
  COMPACT_AT_OPEN_ENTRIES,
  COMPACT_ENTRIES,
  ENTRY_OVERHEAD_BYTES,
  MAX_UPDATE_BYTES,
} from '../../../src/mesh/replica/limits.ts';
import { createReplicaLog } from '../../../src/mesh/replica/log.ts';
import { createReplica } from '../../../src/mesh/replica/replica.ts';
import { createMemoryStore } from '../../../src/mesh/storage/kv-memory.ts';
import { createProcessLock } from '../../../src/mesh/storage/lock.ts';
import { newRoom } from '../../support/new-room.ts';
import { at, isCalled, lists, signChain, updatesOf } from '../../support/replica-author.ts';
import { datasetSummary, exchange, newDevice, segmentManifest, testCid } from '../../support/replica.ts';

const { room } = newRoom();

async function place() {
  return { room, deviceKey: await newDevice(), store: createMemoryStore(), lock: createProcessLock() };
}

const keysOf = (store: KeyValueStore, author: string) => store.keys(`replica/entry/${author}/`);

/** All bytes of an author's log as they lie in the store. */
async function storedText(store: KeyValueStore, author: string): Promise<string> {
  const values = await Promise.all((await keysOf(store, author)).map((key) => store.get<Uint8Array>(key)));
  return values.map((bytes) => Buffer.from(bytes ?? []).toString('latin1')).join('');
}

/** A store that has no room for batches of more writes than `largest`. */
function breakable(store: KeyValueStore) {
  const control = { largest: Infinity };
  const batch: KeyValueStore['batch'] = async (writes) => {
    if (writes.length > control.largest) throw new DOMException('full', 'QuotaExceededError');
    await store.batch(writes);
  };
  return { control, store: { ...store, batch } };
}

describe("a device's own log", () => {
  it('is replaced by a snapshot when much was written, and what was deleted is gone', async () => {
    const options = await place();
    const replica = await createReplica(options);
    await replica.setProfile({ name: 'Reading room', kind: 'relay' });
    await replica.putSegment(segmentManifest(3));
    await replica.putDataset(datasetSummary(1, 'To be forgotten'));
    await replica.removeDataset(testCid(1));
    const epoch = replica.heads()[replica.device]?.epoch ?? 0;
    for (let n = 0; n < COMPACT_ENTRIES; n++) await replica.putDataset(datasetSummary(2, `version ${n}`));
    const before = replica.state();
    expect(replica.heads()[replica.device]?.epoch).toBeGreaterThan(epoch);
    expect((await keysOf(options.store, replica.device)).length).toBeLessThan(COMPACT_ENTRIES / 2);
    const text = await storedText(options.store, replica.device);
    expect(text).toContain('Reading room');
    expect(text).not.toContain('To be forgotten');
    expect(text).not.toContain('version 1"');
    await replica.close();
    const reopened = await createReplica(options);
    expect(reopened.state()).toEqual(before);
    expect(before.devices[replica.device]).toMatchObject({
      name: 'Reading room',
      datasets: { [testCid(2)]: { name: `version ${COMPACT_ENTRIES - 1}` } },
      segments: { [testCid(3)]: segmentManifest(3) },
    });
    await reopened.close();
  });

  it('is replaced when it is opened and much larger than what it says, else left alone', async () => {
    const options = await place();
    let replica = await createReplica(options);
    for (let n = 0; n < COMPACT_AT_OPEN_ENTRIES; n++) await replica.putDataset(datasetSummary(n));
    const entries = (await keysOf(options.store, replica.device)).length;
    await replica.close();
    replica = await createReplica(options);
    // all of it counts
    expect((await keysOf(options.store, replica.device)).length).toBe(entries);
    for (let n = 1; n < COMPACT_AT_OPEN_ENTRIES; n++) await replica.removeDataset(testCid(n));
    await replica.close();
    replica = await createReplica(options);
    expect((await keysOf(options.store, replica.device)).length).toBe(1);
    expect(Object.keys(replica.state().devices[replica.device]?.datasets ?? {})).toEqual([testCid(0)]);
    await replica.close();
  });

  it('stays as it was when replacing it fails, and the write that led to it holds', async () => {
    const options = await place();
    const { control, store } = breakable(options.store);
    const replica = await createReplica({ ...options, store });
    for (let n = 0; n < COMPACT_ENTRIES - 1; n++) await replica.putDataset(datasetSummary(1, `version ${n}`));
    control.largest = 10;
    await replica.putDataset(datasetSummary(2));
    const listed = () => Object.keys(replica.state().devices[replica.device]?.datasets ?? {}).sort();
    expect(await keysOf(options.store, replica.device)).toHaveLength(COMPACT_ENTRIES);
    expect(listed()).toEqual([testCid(1), testCid(2)].sort());
    control.largest = Infinity;
    await replica.putDataset(datasetSummary(3));
    expect(await keysOf(options.store, replica.device)).toHaveLength(1);
    expect(listed()).toEqual([testCid(1), testCid(2), testCid(3)].sort());
    await replica.close();
  });

  it('is followed by the other tabs of the device, whichever of them replaces it', async () => {
    const options = await place();
    const tabs = [await createReplica(options), await createReplica(options)];
    await Promise.all(
      tabs.map(async (tab, index) => {
        for (let n = 0; n < COMPACT_ENTRIES; n++) await tab.putDataset(datasetSummary(index, `version ${n}`));
      }),
    );
    const witness = await createReplica(await place());
    await exchange(at(tabs, 0), witness);
    await exchange(at(tabs, 1), witness);
    const view = witness.state().devices[options.deviceKey.id];
    expect(view?.forked).toBeUndefined();
    expect(Object.values(view?.datasets ?? {}).map(({ name }) => name)).toEqual(
      Array(2).fill(`version ${COMPACT_ENTRIES - 1}`),
    );
    for (const tab of tabs) expect((await tab.ownDatasets()).length).toBe(2);
    for (const replica of [...tabs, witness]) await replica.close();
  });

  it('is left alone when a newer app has listed what this one does not know', async () => {
    const options = await place();
    const writer = createDeviceDoc();
    const update = writer.change(({ datasets }) => {
      datasets.set('a', { count: 1n });
    });
    if (update === undefined) throw new Error('nothing was changed');
    await createReplicaLog({ ...options, now: Date.now }).exclusive((log) => log.append(options.deviceKey, update));
    const replica = await createReplica(options);
    for (let n = 0; n < COMPACT_ENTRIES + 1; n++) await replica.putDataset(datasetSummary(1, `version ${n}`));
    expect((await keysOf(options.store, replica.device)).length).toBe(COMPACT_ENTRIES + 2);
    await replica.close();
  });

  it('takes what is stored of version 1, and continues it', async () => {
    const options = await place();
    const replica = await createReplica(options);
    const entries = (await signChain(options.deviceKey, room, updatesOf(lists(1, 2)))).map((entry) => entry);
    await replica.apply(entries);
    const head = replica.heads()[replica.device];
    await replica.close();
    const bytes = entries.reduce((sum, { update }) => sum + update.byteLength, 0);
    await options.store.batch([
      { key: 'format/replica', value: 1 },
      { key: 'replica/total', value: undefined },
      { key: `replica/head/${replica.device}`, value: { epoch: 1, seq: 1, hash: head?.hash, bytes, forked: false } },
    ]);
    const migrated = await createReplica(options);
    await migrated.putDataset(datasetSummary(3));
    expect(Object.keys(migrated.state().devices[replica.device]?.datasets ?? {})).toHaveLength(3);
    expect(migrated.heads()[replica.device]).toMatchObject({ epoch: 1, seq: 2 });
    expect(await options.store.get('format/replica')).toBe(2);
    expect(await options.store.get<number>('replica/total')).toBeGreaterThan(bytes + 3 * ENTRY_OVERHEAD_BYTES);
    await migrated.close();
  });

  it('goes on above what the others hold when the device comes back without its data', async () => {
    const deviceKey = await newDevice();
    let now = Date.UTC(2026, 0, 1);
    const clock = { now: () => now, sleep: () => Promise.resolve() };
    const open = async () => createReplica({ ...(await place()), deviceKey, clock });
    const [first, witness] = [await open(), await createReplica(await place())];
    await first.putDataset(datasetSummary(1));
    await exchange(first, witness);
    now += 60_000;
    const second = await open();
    await second.putDataset(datasetSummary(2));
    await exchange(second, witness);
    expect(witness.state().devices[deviceKey.id]?.forked).toBeUndefined();
    expect(Object.keys(witness.state().devices[deviceKey.id]?.datasets ?? {})).toEqual([testCid(2)]);
    for (const replica of [first, second, witness]) await replica.close();
  });
});

describe("another device's snapshot", () => {
  async function history(): Promise<{ author: DeviceId; old: SignedUpdate[]; snapshot: SignedUpdate[] }> {
    const key = await newDevice();
    return {
      author: key.id,
      old: await signChain(key, room, updatesOf([...lists(1, 2), ...isCalled('old')])),
      snapshot: await signChain(key, room, updatesOf([...lists(3, 4), ...isCalled('new')]), { epoch: 2, snapshot: 3 }),
    };
  }

  it('counts when all of it is there, over restarts; until then the old log does', async () => {
    const options = await place();
    const { author, old, snapshot } = await history();
    let replica = await createReplica(options);
    await replica.apply(old.slice(0, 2));
    await replica.apply(snapshot.slice(0, 2));
    await replica.apply(old.slice(2));
    expect(replica.state().devices[author]?.name).toBe('old');
    expect(replica.heads()[author]).toMatchObject({ epoch: 1, seq: 2 });
    await replica.close();
    replica = await createReplica(options);
    expect(replica.state().devices[author]?.name).toBe('old');
    await replica.apply(snapshot.slice(2));
    expect(replica.state().devices[author]).toMatchObject({ name: 'new' });
    expect(Object.keys(replica.state().devices[author]?.datasets ?? {}).sort()).toEqual(
      [testCid(3), testCid(4)].sort(),
    );
    expect(await keysOf(options.store, author)).toHaveLength(3);
    // late, and no offence
    expect(await replica.apply(old)).toEqual({ accepted: [], rejected: [] });
    await replica.close();
  });

  it('swaps in one write: when that fails, all of the old log is there', async () => {
    const options = await place();
    const { control, store } = breakable(options.store);
    const { author, old, snapshot } = await history();
    const replica = await createReplica({ ...options, store });
    await replica.apply(old);
    await replica.apply(snapshot.slice(0, 2));
    const keys = await options.store.keys();
    control.largest = 0;
    await expect(replica.apply(snapshot.slice(2))).rejects.toMatchObject({ code: 'quota_exceeded' });
    expect(await options.store.keys()).toEqual(keys);
    expect(replica.state().devices[author]?.name).toBe('old');
    await replica.close();
    control.largest = Infinity;
    const reopened = await createReplica({ ...options, store });
    expect(reopened.state().devices[author]?.name).toBe('old');
    await reopened.apply(snapshot.slice(2));
    expect(reopened.state().devices[author]?.name).toBe('new');
    await reopened.close();
  });

  it('takes no more room than the last one that was begun', async () => {
    const options = await place();
    const key = await newDevice();
    const replica = await createReplica(options);
    await replica.apply(await signChain(key, room, updatesOf(lists(1))));
    for (let epoch = 2; epoch < 12; epoch++) {
      await replica.apply(await signChain(key, room, updatesOf(lists(2, 3)), { epoch, snapshot: 9 }));
    }
    expect(await keysOf(options.store, key.id)).toHaveLength(3);
    expect(await options.store.get<number>('replica/total')).toBeLessThan(3 * (1000 + ENTRY_OVERHEAD_BYTES));
    await replica.close();
  });

  it('is cut into entries that are each within their limit, and read whole by others', async () => {
    const options = await place();
    const replica = await createReplica(options);
    const big = Array.from({ length: 200 }, (_, n) => ({ ...datasetSummary(n), query: 'é€𝄞'.repeat(900) }));
    for (const summary of big) await replica.putDataset(summary);
    const log = createReplicaLog({ ...options, now: Date.now });
    const head = await log.head(replica.device);
    expect(head?.snapshot).toBeGreaterThan(1);
    const entries = await replica.entriesSince({}, 10_000);
    expect(Math.max(...entries.map((entry) => encodeEntry(entry).byteLength))).toBeLessThan(MAX_UPDATE_BYTES + 512);
    const witness = await createReplica(await place());
    await exchange(replica, witness);
    expect(witness.state()).toEqual(replica.state());
    for (const opened of [replica, witness]) await opened.close();
  });
});
