import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import type { SignedUpdate } from '../../../src/contracts/replica.ts';
import type { KeyValueStore } from '../../../src/contracts/kv.ts';
import { silentLog } from '../../../src/lib/log.ts';
import type { DeviceKey } from '../../../src/mesh/identity/device-key.ts';
import { newRoom } from '../../support/new-room.ts';
import {
  GENESIS,
  decodeEntry,
  encodeEntry,
  entryHash,
  signEntry,
  verifyEntry,
} from '../../../src/mesh/replica/entry.ts';
import { MAX_UPDATE_BYTES } from '../../../src/mesh/replica/limits.ts';
import { createReplica } from '../../../src/mesh/replica/replica.ts';
import type { RoomReplica } from '../../../src/mesh/replica/replica.ts';
import { createMemoryStore } from '../../../src/mesh/storage/kv-memory.ts';
import { createProcessLock } from '../../../src/mesh/storage/lock.ts';
import { datasetSummary, newDevice } from '../../support/replica.ts';

const { room } = newRoom();
const { room: otherRoom } = newRoom();

/** A Yjs update as a device of this version would write it, or any other content. */
function yjsUpdate(change: (doc: Y.Doc) => void): Uint8Array {
  const doc = new Y.Doc();
  change(doc);
  return Y.encodeStateAsUpdate(doc);
}

const named = (name: string) => yjsUpdate((doc) => doc.getMap('profile').set('name', name));

/** The log of an author who signs whatever it likes. */
async function chain(author: DeviceKey, updates: readonly Uint8Array[], epoch = 1): Promise<SignedUpdate[]> {
  const entries: SignedUpdate[] = [];
  let prev = GENESIS;
  for (const [seq, update] of updates.entries()) {
    const entry = await signEntry(author, room, { epoch, seq, prev, update });
    entries.push(entry);
    prev = entryHash(entry, room);
  }
  return entries;
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error(`nothing at ${index}`);
  return item;
}

describe('entries', () => {
  it('are the same after encoding, and hold only for their room, author and content', async () => {
    const author = await newDevice();
    const entry = at(await chain(author, [named('a')]), 0);
    expect(decodeEntry(encodeEntry(entry))).toEqual(entry);
    expect(await verifyEntry(entry, room)).toBe(true);
    expect(await verifyEntry(entry, otherRoom)).toBe(false);
    const stranger = await newDevice();
    for (const change of [
      { author: stranger.id },
      { epoch: 2 },
      { seq: 1 },
      { prev: entry.prev.map((byte) => byte ^ 1) },
      { update: named('b') },
      { signature: entry.signature.map((byte) => byte ^ 1) },
    ]) {
      expect(await verifyEntry({ ...entry, ...change }, room), Object.keys(change).join()).toBe(false);
    }
  });

  it('are refused when they are anything else, whatever the bytes', async () => {
    const whole = encodeEntry(at(await chain(await newDevice(), [named('a')]), 0));
    for (let cut = 0; cut < whole.length; cut++) {
      expect(() => decodeEntry(whole.subarray(0, cut))).toThrow(expect.objectContaining({ code: 'protocol_error' }));
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(() => decodeEntry(bytes)).toThrow(expect.objectContaining({ code: 'protocol_error' }));
      }),
    );
  });

  it('hold bounded updates', async () => {
    const author = await newDevice();
    const update = new Uint8Array(MAX_UPDATE_BYTES + 1);
    await expect(signEntry(author, room, { epoch: 1, seq: 0, prev: GENESIS, update })).rejects.toMatchObject({
      code: 'payload_too_large',
    });
  });
});

describe('the log of another author', () => {
  let author: DeviceKey;
  let store: KeyValueStore;
  let replica: RoomReplica;
  const nameOf = (device: DeviceKey) => replica.state().devices[device.id]?.name;

  beforeEach(async () => {
    author = await newDevice();
    store = createMemoryStore();
    replica = await createReplica({ room, deviceKey: await newDevice(), store, lock: createProcessLock() });
  });

  it('is taken in order, and each entry once', async () => {
    const entries = await chain(author, [named('a'), named('b'), named('c')]);
    expect((await replica.apply(entries)).accepted).toHaveLength(3);
    expect(await replica.apply(entries)).toMatchObject({ accepted: [], rejected: [] });
    expect(replica.heads()).toMatchObject({ [author.id]: { epoch: 1, seq: 2 } });
  });

  it('is taken as far as it has no gap', async () => {
    const entries = await chain(author, [named('a'), named('b'), named('c')]);
    const { accepted, rejected } = await replica.apply([at(entries, 0), at(entries, 2)]);
    expect(accepted).toEqual([entries[0]]);
    expect(rejected).toEqual([{ author: author.id, reason: 'gap' }]);
    expect((await replica.apply(entries)).rejected).toEqual([]);
    expect(replica.heads()[author.id]).toMatchObject({ epoch: 1, seq: 2 });
  });

  it('takes nothing that somebody else signed, for it or for another room', async () => {
    const entries = await chain(author, [named('a'), named('b')]);
    await replica.apply([at(entries, 0)]);
    const stranger = await newDevice();
    const forged = { ...at(await chain(stranger, [named('x'), named('evil')]), 1), author: author.id };
    const relinked = { ...forged, prev: at(entries, 1).prev };
    const before = replica.state();
    for (const entry of [forged, relinked, { ...at(entries, 1), update: named('evil') }]) {
      expect((await replica.apply([entry])).rejected).toEqual([{ author: author.id, reason: 'bad_signature' }]);
    }
    expect(replica.state()).toBe(before);
    // and the author is not held to account for what others forged
    expect((await replica.apply(entries)).rejected).toEqual([]);
    expect(nameOf(author)).toBeDefined();
  });

  it('is cut off where its author signed two histories, for good, and what they have in common stays', async () => {
    const honest = await chain(author, [named('a'), named('b')]);
    const other = await chain(author, [named('a'), named('c'), named('d')]);
    await replica.apply(honest);
    const held = replica.state();
    expect((await replica.apply([at(other, 1)])).rejected).toEqual([{ author: author.id, reason: 'forked' }]);
    const more = await signEntry(author, room, {
      epoch: 1,
      seq: 2,
      prev: entryHash(at(honest, 1), room),
      update: named('later'),
    });
    expect((await replica.apply([more])).rejected).toEqual([{ author: author.id, reason: 'cut_off' }]);
    // the rest of the other history is nobody's
    expect(replica.state().devices[author.id]).toMatchObject({ name: 'a', forked: true });
    expect(held.devices[author.id]).not.toHaveProperty('forked');
    const cut = replica.state();

    const again = await createReplica({ room, deviceKey: await newDevice(), store, lock: createProcessLock() });
    expect((await again.apply([more])).rejected).toEqual([{ author: author.id, reason: 'cut_off' }]);
    expect(again.state()).toEqual(cut);
  });

  it('is cut off when an entry follows one that is not the one held', async () => {
    await replica.apply([at(await chain(author, [named('a')]), 0)]);
    const other = await chain(author, [named('b'), named('c')]);
    expect((await replica.apply([at(other, 1)])).rejected).toEqual([{ author: author.id, reason: 'forked' }]);
  });

  it('is replaced by a higher epoch, and never goes back', async () => {
    const old = await chain(author, [
      yjsUpdate((doc) => doc.getMap('datasets').set(datasetSummary(1).data, datasetSummary(1))),
      named('a'),
    ]);
    const snapshot = await chain(author, [named('snapshot')], 2);
    await replica.apply(old);
    await replica.apply(snapshot);
    expect(replica.state().devices[author.id]).toMatchObject({ name: 'snapshot', datasets: {} });
    expect(await replica.apply(old)).toMatchObject({ accepted: [], rejected: [] });
    expect(replica.heads()[author.id]).toMatchObject({ epoch: 2, seq: 0 });
    expect((await store.keys(`replica/entry/${author.id}/`)).length).toBe(1);
    expect(await replica.entriesSince({ [author.id]: { epoch: 1, seq: 1 } }, 10)).toEqual(snapshot);
  });

  it('shows a prefix of what its author wrote, whatever others do to the entries on the way', async () => {
    const updates = ['a', 'b', 'c', 'd'].map(named);
    const honest = await chain(author, updates);
    const stranger = await chain(await newDevice(), updates);
    const views = new Set<string | undefined>([undefined]);
    const witness = await createReplica({
      room,
      deviceKey: await newDevice(),
      store: createMemoryStore(),
      lock: createProcessLock(),
    });
    for (const entry of honest) {
      await witness.apply([entry]);
      views.add(JSON.stringify(witness.state().devices[author.id]));
    }
    const index = fc.integer({ min: 0, max: honest.length - 1 });
    const delivered = fc.oneof(
      { weight: 3, arbitrary: index.map((n) => at(honest, n)) },
      { weight: 1, arbitrary: fc.tuple(index, index).map(([n, m]) => ({ ...at(honest, n), seq: m })) },
      {
        weight: 1,
        arbitrary: fc.tuple(index, index).map(([n, m]) => ({ ...at(honest, n), update: at(honest, m).update })),
      },
      {
        weight: 1,
        arbitrary: fc.tuple(index, index).map(([n, m]) => ({ ...at(honest, n), prev: at(honest, m).prev })),
      },
      { weight: 1, arbitrary: index.map((n) => ({ ...at(stranger, n), author: author.id })) },
      { weight: 1, arbitrary: index.map((n) => ({ ...at(honest, n), epoch: 2 })) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(delivered, { maxLength: 5 }), { maxLength: 5 }), async (batches) => {
        const victim = await createReplica({
          room,
          deviceKey: await newDevice(),
          store: createMemoryStore(),
          lock: createProcessLock(),
        });
        for (const batch of batches) {
          await victim.apply(batch);
          const view = victim.state().devices[author.id];
          expect(views).toContain(view === undefined ? undefined : JSON.stringify(view));
        }
        // and none of it keeps the author from being heard in the end
        await victim.apply(honest);
        expect(victim.state().devices[author.id]).toEqual(witness.state().devices[author.id]);
      }),
      { numRuns: 60 },
    );
  });

  it('is not taken when it holds no Yjs updates', async () => {
    const [entry] = await chain(author, [Uint8Array.of(1, 255, 255, 255, 255, 7, 1, 0)]);
    expect((await replica.apply([entry!])).rejected).toEqual([{ author: author.id, reason: 'bad_update' }]);
    expect(replica.heads()).toEqual({});
  });

  it('never throws and never shows malformed content, whatever it holds', async () => {
    const key = fc.oneof(fc.constantFrom('name', 'kind', datasetSummary(1).data, '__proto__', ''), fc.string());
    const content = fc.oneof(
      fc.jsonValue(),
      fc.constant(datasetSummary(1)),
      fc.record(Object.fromEntries(Object.keys(datasetSummary(1)).map((field) => [field, fc.jsonValue()])), {
        noNullPrototype: true,
      }),
    );
    const write = fc.record({ map: fc.constantFrom('profile', 'datasets', 'segments', 'unknown'), key, content });
    await fc.assert(
      fc.asyncProperty(fc.array(write, { maxLength: 6 }), async (writes) => {
        const hostile = await newDevice();
        const update = yjsUpdate((doc) => {
          for (const { map, key: name, content: value } of writes) doc.getMap(map).set(name, value);
          doc.getMap('profile').set('me', 'me');
        });
        await replica.apply(await chain(hostile, [update, named('me')]));
        const view = replica.state().devices[hostile.id];
        expect(Object.keys(view?.datasets ?? {}).every((cid) => cid === datasetSummary(1).data)).toBe(true);
        expect(Object.values(view?.datasets ?? {}).every((summary) => Number.isSafeInteger(summary.count))).toBe(true);
        expect(Object.getPrototypeOf(view?.datasets)).toBe(Object.prototype);
        expect(view?.segments).toEqual({});
        expect(typeof view?.name).toBe('string');
      }),
      { numRuns: 50 },
    );
  });

  it('stops for no update that refers to what was never written', async () => {
    const doc = new Y.Doc();
    const map = doc.getMap('profile');
    map.set('name', 'first');
    const before = Y.encodeStateVector(doc);
    map.set('name', 'second');
    const dangling = Y.encodeStateAsUpdate(doc, before);
    const reports: string[] = [];
    const log = { ...silentLog, warn: (event: string) => reports.push(event) };
    const reader = await createReplica({ room, deviceKey: author, store, lock: createProcessLock(), log });
    await reader.apply(await chain(author, [dangling, named('after')]));
    expect(reader.state().devices[author.id]?.name).toBe('after');
    // once for the update itself; not again with each that follows
    expect(reports).toEqual(['replica.update_ignored']);
  });
});

describe('two tabs of one device', () => {
  it("append to one log without a fork, and see each other's writes", async () => {
    const deviceKey = await newDevice();
    const store = createMemoryStore();
    const lock = createProcessLock();
    const [one, two] = [
      await createReplica({ room, deviceKey, store, lock }),
      await createReplica({ room, deviceKey, store, lock }),
    ];
    await Promise.all(
      [one, two].flatMap((tab, t) => Array.from({ length: 10 }, (_, n) => tab.putDataset(datasetSummary(t * 10 + n)))),
    );
    const reader = await createReplica({
      room,
      deviceKey: await newDevice(),
      store: createMemoryStore(),
      lock: createProcessLock(),
    });
    const { rejected, accepted } = await reader.apply(
      await (await createReplica({ room, deviceKey, store, lock })).entriesSince({}, 100),
    );
    expect(rejected).toEqual([]);
    expect(accepted).toHaveLength(20);
    expect(Object.keys(reader.state().devices[deviceKey.id]?.datasets ?? {})).toHaveLength(20);
  });

  it('the later write wins, although the tab that made it had not heard of the one before', async () => {
    const deviceKey = await newDevice();
    const store = createMemoryStore();
    const lock = createProcessLock();
    const tabs = [
      await createReplica({ room, deviceKey, store, lock }),
      await createReplica({ room, deviceKey, store, lock }),
    ];
    for (let n = 0; n < 16; n++) {
      const tab = at(tabs, n % 2);
      await tab.putDataset(datasetSummary(1, `version ${n}`));
      expect(Object.values(tab.state().devices[deviceKey.id]?.datasets ?? {}).map(({ name }) => name)).toEqual([
        `version ${n}`,
      ]);
    }
  });

  it('recovers from a write that failed, as if it had not been tried', async () => {
    const deviceKey = await newDevice();
    const store = createMemoryStore();
    let full = false;
    const failing: KeyValueStore = {
      ...store,
      batch: async (writes) => {
        if (full) throw new DOMException('full', 'QuotaExceededError');
        await store.batch(writes);
      },
    };
    const replica = await createReplica({ room, deviceKey, store: failing, lock: createProcessLock() });
    await replica.putDataset(datasetSummary(1));
    const before = replica.state();
    full = true;
    await expect(replica.putDataset(datasetSummary(2))).rejects.toMatchObject({ code: 'quota_exceeded' });
    expect(replica.state()).toEqual(before);
    full = false;
    await replica.putDataset(datasetSummary(3));
    expect(
      Object.values(replica.state().devices[deviceKey.id]?.datasets ?? {})
        .map(({ count }) => count)
        .sort(),
    ).toEqual([1, 3]);
    expect(replica.heads()[deviceKey.id]).toMatchObject({ seq: 1 });
  });

  it('stops writing when its key was copied to another device', async () => {
    const deviceKey = await newDevice();
    const open = () => createReplica({ room, deviceKey, store: createMemoryStore(), lock: createProcessLock() });
    const [original, copy] = [await open(), await open()];
    await original.setProfile({ name: 'original', kind: 'tab' });
    await copy.setProfile({ name: 'copy', kind: 'tab' });
    await original.apply(await copy.entriesSince({}, 10));
    await expect(original.putDataset(datasetSummary(1))).rejects.toMatchObject({ code: 'conflict' });
  });
});
