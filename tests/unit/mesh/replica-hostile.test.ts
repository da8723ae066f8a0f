import { createEncoder, toUint8Array, writeVarString, writeVarUint } from 'lib0/encoding';
import { beforeEach, describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import type { SignedUpdate } from '../../../src/contracts/replica.ts';
import { silentLog } from '../../../src/lib/log.ts';
import type { DeviceKey } from '../../../src/mesh/identity/device-key.ts';
import { createDeviceDoc } from '../../../src/mesh/replica/doc.ts';
import { GENESIS, signEntry } from '../../../src/mesh/replica/entry.ts';
import { MAX_AUTHORS, MAX_BYTES_PER_ROOM, MAX_EPOCH, RETENTION_MS } from '../../../src/mesh/replica/limits.ts';
import { createReplica } from '../../../src/mesh/replica/replica.ts';
import type { ReplicaOptions, RoomReplica } from '../../../src/mesh/replica/replica.ts';
import { encodeSyncMessage } from '../../../src/mesh/replica/sync-messages.ts';
import { createReplicaSync } from '../../../src/mesh/replica/sync.ts';
import { readUpdate } from '../../../src/mesh/replica/yjs-update.ts';
import { createMemoryStore } from '../../../src/mesh/storage/kv-memory.ts';
import { createProcessLock } from '../../../src/mesh/storage/lock.ts';
import { newRoom } from '../../support/new-room.ts';
import { at, isCalled, lists, signChain, updatesOf } from '../../support/replica-author.ts';
import { connect } from '../../support/replica-network.ts';
import { datasetSummary, exchange, newDevice, testCid } from '../../support/replica.ts';

const { room } = newRoom();

const open = async (options: Partial<ReplicaOptions> = {}): Promise<RoomReplica> =>
  createReplica({
    room,
    deviceKey: await newDevice(),
    store: createMemoryStore(),
    lock: createProcessLock(),
    ...options,
  });

/** Three replicas in a row, in sync. */
async function inARow(replicas: readonly RoomReplica[]) {
  const links = replicas.slice(1).map((replica, index) => connect(at(replicas, index), replica));
  for (let round = 0; round < 6; round++) for (const link of links) await link.idle();
  return links;
}

describe('an author of two histories', () => {
  let author: DeviceKey;
  let trunk: SignedUpdate[];
  let left: SignedUpdate[];
  let right: SignedUpdate[];
  const namesAt = (replica: RoomReplica) => Object.keys(replica.state().devices[author.id]?.datasets ?? {}).sort();

  beforeEach(async () => {
    author = await newDevice();
    trunk = await signChain(author, room, updatesOf(lists(1, 2)));
    left = await signChain(author, room, updatesOf(lists(3, 4)), { after: at(trunk, 1) });
    right = await signChain(author, room, updatesOf(lists(5, 6)), { after: at(trunk, 1) });
  });

  it('is cut back to what they have in common by everybody, and nobody else is touched', async () => {
    const replicas = [await open(), await open(), await open()];
    const [a, b, c] = replicas as [RoomReplica, RoomReplica, RoomReplica];
    await b.putDataset(datasetSummary(9));
    await a.apply([...trunk, ...left]);
    await c.apply([...trunk, ...right]);
    await inARow(replicas);
    for (const replica of replicas) {
      expect(namesAt(replica)).toEqual([testCid(1), testCid(2)].sort());
      expect(replica.state().devices[author.id]?.forked).toBe(true);
      expect(replica.state()).toEqual(b.state());
      expect(Object.keys(replica.state().devices[b.device]?.datasets ?? {})).toEqual([testCid(9)]);
      // for good: neither more of it nor a snapshot of a higher epoch
      const later = await signChain(author, room, updatesOf(lists(7)), { epoch: 5, snapshot: 1 });
      expect((await replica.apply(later)).rejected).toEqual([{ author: author.id, reason: 'cut_off' }]);
    }
    // and who comes later hears of it from any of them
    const late = await open();
    await exchange(c, late);
    expect(late.state()).toEqual(b.state());
  });

  it('is found out also when both have read as far, and part early', async () => {
    const [a, b] = [await open(), await open()];
    const other = await signChain(author, room, updatesOf(lists(7, 8, 1, 2)));
    await a.apply([...trunk, ...left]);
    await b.apply(other);
    expect(a.heads()[author.id]?.seq).toBe(b.heads()[author.id]?.seq);
    await inARow([a, b]);
    expect(a.state()).toEqual(b.state());
    expect(a.state().devices[author.id]).toMatchObject({ forked: true, datasets: {} });
  });

  it('is cut back in the earlier epoch by those who have gone on to the next', async () => {
    const [a, b] = [await open(), await open()];
    const next = await signChain(author, room, updatesOf(lists(8)), { epoch: 2, snapshot: 1 });
    await a.apply([...trunk, ...left, ...next]);
    await b.apply([...trunk, ...left]);
    await b.apply(right);
    await inARow([a, b]);
    expect(a.state()).toEqual(b.state());
    expect(namesAt(a)).toEqual([testCid(1), testCid(2)].sort());
  });

  it('is found out where one has all of a snapshot, and another the beginning of another one', async () => {
    const [a, b] = [await open(), await open()];
    const whole = await signChain(author, room, updatesOf(lists(1, 2)), { epoch: 2, snapshot: 2 });
    const begun = await signChain(author, room, updatesOf(lists(3, 4)), { epoch: 2, snapshot: 5 });
    await a.apply(whole);
    await b.apply(begun);
    await inARow([a, b]);
    expect(a.state()).toEqual(b.state());
    expect(a.state().devices[author.id]).toMatchObject({ forked: true, datasets: {} });
  });

  it('says so in the log, once, and after a restart it is still known', async () => {
    const events: string[] = [];
    const store = createMemoryStore();
    const log = {
      ...silentLog,
      warn: (event: string, fields = {}) => events.push(`${event} ${JSON.stringify(fields)}`),
    };
    const replica = await open({ store, log });
    let told = 0;
    replica.subscribe(({ devices }) => (told += devices[author.id]?.forked === true ? 1 : 0));
    await replica.apply([...trunk, ...left]);
    for (let n = 0; n < 3; n++) await replica.apply(right);
    expect(events).toEqual([`replica.entries_rejected ${JSON.stringify({ author: author.id, reason: 'forked' })}`]);
    expect(told).toBe(1);
    await replica.close();
    const reopened = await open({ store });
    expect(reopened.state()).toEqual(replica.state());
    expect(await store.keys(`replica/entry/${author.id}/`)).toHaveLength(2);
  });

  it('is no offence of who passes it on', async () => {
    const replica = await open();
    await replica.apply([...trunk, ...left]);
    const session = createReplicaSync({ replica })(() => Promise.resolve());
    await session.receive(encodeSyncMessage({ type: 'entries', entries: right }));
    await session.receive(encodeSyncMessage({ type: 'entries', entries: [...trunk, ...right] }));
  });
});

describe('an entry that no honest peer passes on', () => {
  const rejectionOf = async (entries: readonly SignedUpdate[]) => {
    const replica = await open();
    const session = createReplicaSync({ replica })(() => Promise.resolve());
    const outcome = await session.receive(encodeSyncMessage({ type: 'entries', entries })).then(
      () => 'taken',
      (error: unknown) => error as { code: string; details: { reason?: string } },
    );
    expect(replica.state()).toEqual({ devices: {} });
    return typeof outcome === 'string' ? outcome : (outcome.details.reason ?? outcome.code);
  };

  it.each<[string, (author: DeviceKey) => Promise<SignedUpdate[]>, string]>([
    [
      'is signed by another',
      async (author) => {
        const stranger = await newDevice();
        return (await signChain(author, room, updatesOf(lists(1)))).map((entry) => ({ ...entry, author: stranger.id }));
      },
      'bad_signature',
    ],
    ['is of another room', (author) => signChain(author, newRoom().room, updatesOf(lists(1))), 'bad_signature'],
    [
      'is of another epoch',
      async (author) => (await signChain(author, room, updatesOf(lists(1)))).map((entry) => ({ ...entry, epoch: 7 })),
      'bad_signature',
    ],
    [
      'is at an impossible place',
      async (author) => [
        await signEntry(author, room, {
          epoch: 1,
          seq: 0,
          prev: new Uint8Array(32).fill(1),
          update: at(updatesOf(lists(1)), 0),
        }),
      ],
      'protocol_error',
    ],
    [
      'holds a snapshot in the middle',
      async (author) => [
        await signEntry(author, room, {
          epoch: 1,
          seq: 4,
          prev: GENESIS,
          update: at(updatesOf(lists(1)), 0),
          snapshot: 2,
        }),
      ],
      'protocol_error',
    ],
    [
      'is of an epoch beyond all',
      async (author) => signChain(author, room, updatesOf(lists(1)), { epoch: MAX_EPOCH }),
      'protocol_error',
    ],
    ['is no update', (author) => signChain(author, room, [Uint8Array.of(9, 9, 9)]), 'bad_update'],
    [
      'holds a list',
      (author) => {
        const doc = new Y.Doc();
        doc.getArray('datasets').push([1]);
        return signChain(author, room, [Y.encodeStateAsUpdate(doc)]);
      },
      'bad_update',
    ],
    [
      'holds a text in a map',
      (author) => {
        const doc = new Y.Doc();
        doc.getMap('datasets').set('a', new Y.Text('x'));
        return signChain(author, room, [Y.encodeStateAsUpdate(doc)]);
      },
      'bad_update',
    ],
    ['nests without end', (author) => signChain(author, room, [nested(10_000)]), 'bad_update'],
    [
      'claims more than it has',
      (author) => signChain(author, room, [Uint8Array.of(1, 255, 255, 255, 255, 15, 1, 0)]),
      'bad_update',
    ],
  ])('because it %s', async (_, make, reason) => {
    expect(await rejectionOf(await make(await newDevice()))).toBe(reason);
  });
});

describe('an update', () => {
  it('is read as what Yjs writes of plain values, to a depth that no app needs', () => {
    const doc = new Y.Doc();
    const map = doc.getMap('datasets');
    const updates: Uint8Array[] = [];
    doc.on('update', (update: Uint8Array) => updates.push(update));
    for (const value of [null, true, 'text', -5, 1.5, 2 ** 40, { a: [1, { b: 'é𝄞' }] }, datasetSummary(1)]) {
      map.set('key', value);
      map.delete('key');
    }
    doc.transact(() => {
      for (let n = 0; n < 5; n++) map.set('again', n);
    });
    for (const update of [...updates, Y.encodeStateAsUpdate(doc), Y.mergeUpdates(updates)]) {
      expect(readUpdate(update)).toBeDefined();
      for (let cut = 0; cut < update.length; cut++) expect(readUpdate(update.subarray(0, cut))).toBeUndefined();
    }
    expect(readUpdate(nested(5))).toBeDefined();
    expect(readUpdate(nested(50))).toBeUndefined();
  });

  it('of many values at one place is not compared with all of them', async () => {
    const author = await newDevice();
    const updates = Array.from({ length: 20 }, () => crowded(1500));
    const replica = await open();
    await replica.apply(await signChain(author, room, updates));
    expect(replica.heads()[author.id]?.seq).toBe(19);
    // none of them stands after the one before it: they are no history of one key
    expect(
      createDeviceDoc()
        .apply(updates)
        .every((problem) => problem !== undefined),
    ).toBe(true);
    expect(createDeviceDoc().apply([crowded(1), crowded(1)])).toEqual([undefined, expect.any(String)]);
  });
});

describe('limits', () => {
  it('hold for the devices of a room, and for its bytes', async () => {
    const store = createMemoryStore();
    const deviceKey = await newDevice();
    const replica = await open({ store, deviceKey });
    const author = await newDevice();
    const log = await signChain(author, room, updatesOf(lists(1, 2)));
    await replica.apply(log.slice(0, 1));
    await store.put('replica/total', MAX_BYTES_PER_ROOM);
    expect((await replica.apply(log)).rejected).toEqual([{ author: author.id, reason: 'over_limit' }]);
    // what this device itself does is not stopped by what others wrote
    await replica.putDataset(datasetSummary(5));
    await store.put('replica/total', 0);
    expect((await replica.apply(log)).rejected).toEqual([]);
    const head = await store.get(`replica/head/${author.id}`);
    await store.batch(
      Array.from({ length: MAX_AUTHORS }, (_, n) => ({ key: `replica/head/made-up-${n}`, value: head })),
    );
    const late = await signChain(await newDevice(), room, updatesOf(lists(1)));
    expect((await replica.apply(late)).rejected).toMatchObject([{ reason: 'over_limit' }]);
  });

  it('an author that jumps to the last epoch harms nobody', async () => {
    const [a, b] = [await open(), await open()];
    const author = await newDevice();
    const last = await signChain(author, room, updatesOf(isCalled('last')), { epoch: MAX_EPOCH - 1, snapshot: 1 });
    await a.putDataset(datasetSummary(1));
    await a.apply(last);
    await inARow([a, b]);
    expect(b.state()).toEqual(a.state());
    expect(b.state().devices[author.id]?.name).toBe('last');
  });

  it('what an author lists is in its own name only', async () => {
    const replica = await open();
    await replica.putDataset(datasetSummary(1));
    const author = await newDevice();
    const doc = new Y.Doc();
    doc.getMap(replica.device).set(testCid(1), datasetSummary(2));
    doc.getMap('datasets').set(replica.device, { [testCid(1)]: datasetSummary(2) });
    await replica.apply(await signChain(author, room, [Y.encodeStateAsUpdate(doc)]));
    expect(replica.state().devices[author.id]?.datasets).toEqual({});
    expect(replica.state().devices[replica.device]?.datasets).toEqual({ [testCid(1)]: datasetSummary(1) });
  });
});

describe('a device that is gone for long', () => {
  async function gone(changes: Parameters<typeof updatesOf>[0]) {
    let now = Date.UTC(2026, 0, 1);
    const clock = { now: () => now, sleep: () => Promise.resolve() };
    const options = { store: createMemoryStore(), deviceKey: await newDevice(), clock };
    const author = await newDevice();
    const log = await signChain(author, room, updatesOf(changes));
    let replica = await open(options);
    await replica.apply(log);
    return {
      author,
      log,
      options,
      replica: () => replica,
      later: async (ms: number) => {
        now += ms;
        await replica.close();
        replica = await open(options);
        return replica.state().devices[author.id];
      },
    };
  }

  it('is dropped when it lists nothing, and not taken again from others', async () => {
    const { author, log, options, later, replica } = await gone(isCalled('visitor'));
    expect(await later(RETENTION_MS / 2)).toBeDefined();
    expect(await later(RETENTION_MS)).toBeUndefined();
    expect(await options.store.keys(`replica/entry/${author.id}`)).toEqual([]);
    const other = await open();
    await other.apply(log);
    await inARow([other, replica()]);
    expect(replica().state().devices[author.id]).toBeUndefined();
    // the one who asks what is new of it is not sent it either
    expect(await other.entriesSince(replica().heads(), 10)).toEqual([]);
  });

  it('comes back with all it has when it is heard of again', async () => {
    const { author, log, later, replica } = await gone(isCalled('a', 'b'));
    await later(2 * RETENTION_MS);
    const more = await signChain(author, room, updatesOf(lists(1)), { after: at(log, 1) });
    const other = await open();
    await other.apply([...log, ...more]);
    await inARow([other, replica()]);
    expect(replica().state()).toEqual(other.state());
    const again = await gone(isCalled('c'));
    await again.later(2 * RETENTION_MS);
    await again.replica().seen(again.author.id);
    await again.replica().apply(again.log);
    expect(again.replica().state().devices[again.author.id]?.name).toBe('c');
  });

  it('stays when it lists a dataset, or was seen', async () => {
    const holder = await gone(lists(1));
    expect(await holder.later(10 * RETENTION_MS)).toBeDefined();
    const seen = await gone(isCalled('here'));
    await seen.later(0.9 * RETENTION_MS);
    await seen.replica().seen(seen.author.id);
    expect(await seen.later(0.9 * RETENTION_MS)).toBeDefined();
  });
});

/** Items of one key: client, clock and how each begins are as a hostile author likes. */
function rawUpdate(count: number, item: (encoder: ReturnType<typeof createEncoder>) => void): Uint8Array {
  const encoder = createEncoder();
  for (const head of [1, count, Math.floor(Math.random() * 2 ** 31), 0]) writeVarUint(encoder, head);
  for (let n = 0; n < count; n++) item(encoder);
  writeVarUint(encoder, 0);
  return toUint8Array(encoder);
}

const begin = (encoder: ReturnType<typeof createEncoder>) => {
  // a value (8) with a key (32), the first in the map
  writeVarUint(encoder, 8 + 32);
  writeVarUint(encoder, 1);
  writeVarString(encoder, 'datasets');
  writeVarString(encoder, 'k');
  writeVarUint(encoder, 1);
};

/** A list in a list in a list. */
function nested(depth: number): Uint8Array {
  return rawUpdate(1, (encoder) => {
    begin(encoder);
    for (let n = 0; n < depth; n++) {
      writeVarUint(encoder, 117);
      writeVarUint(encoder, 1);
    }
    writeVarUint(encoder, 126);
  });
}

/** Many values that all claim to be the first of their key. */
function crowded(count: number): Uint8Array {
  return rawUpdate(count, (encoder) => {
    begin(encoder);
    writeVarUint(encoder, 126);
  });
}
