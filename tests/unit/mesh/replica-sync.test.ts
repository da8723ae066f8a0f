import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeviceKey } from '../../../src/mesh/identity/device-key.ts';
import { newRoom } from '../../support/new-room.ts';
import { MAX_BATCH_ENTRIES } from '../../../src/mesh/replica/limits.ts';
import { createReplica } from '../../../src/mesh/replica/replica.ts';
import type { RoomReplica } from '../../../src/mesh/replica/replica.ts';
import { decodeSyncMessage, encodeSyncMessage } from '../../../src/mesh/replica/sync-messages.ts';
import { createReplicaSync } from '../../../src/mesh/replica/sync.ts';
import type { SyncSession } from '../../../src/mesh/replica/sync.ts';
import { createMemoryStore } from '../../../src/mesh/storage/kv-memory.ts';
import { createProcessLock } from '../../../src/mesh/storage/lock.ts';
import { settle } from '../../support/manual-clock.ts';
import { datasetSummary, newDevice, testCid } from '../../support/replica.ts';

const { room } = newRoom();

async function open(deviceKey?: DeviceKey, store = createMemoryStore()): Promise<RoomReplica> {
  return await createReplica({ room, deviceKey: deviceKey ?? (await newDevice()), store, lock: createProcessLock() });
}

interface Link {
  /** resolves when nothing is under way in either direction */
  idle(): Promise<void>;
  cut(): void;
  readonly messages: { readonly to: RoomReplica; readonly bytes: Uint8Array }[];
}

/** Connects two replicas by ordered pipes that may deliver a message twice. */
function link(a: RoomReplica, b: RoomReplica, twice: () => boolean = () => false): Link {
  let up = true;
  let underWay = 0;
  const messages: Link['messages'] = [];
  const sessions: { a?: SyncSession; b?: SyncSession } = {};
  const pipe = (to: RoomReplica, target: () => SyncSession | undefined) => async (bytes: Uint8Array) => {
    underWay++;
    // a network: what is sent arrives later
    await settle();
    try {
      if (!up) throw new Error('the link is cut');
      messages.push({ to, bytes });
      for (let n = 0; n < (twice() ? 2 : 1); n++) await target()?.receive(bytes);
    } finally {
      underWay--;
    }
  };
  const ignoreCut = (reason: Error) => {
    if (up) throw reason;
  };
  sessions.a = createReplicaSync({ replica: a })(
    pipe(b, () => sessions.b),
    ignoreCut,
  );
  sessions.b = createReplicaSync({ replica: b })(
    pipe(a, () => sessions.a),
    ignoreCut,
  );
  return {
    messages,
    idle: async () => {
      // quiet for several turns of the loop: nothing was sent, and nobody is about to
      for (let quiet = 0; quiet < 5; quiet = underWay === 0 ? quiet + 1 : 0) await settle();
    },
    cut: () => {
      up = false;
      sessions.a?.close();
      sessions.b?.close();
    },
  };
}

describe('replica sync', () => {
  it('gives each side what it lacks, then what is new, without echo', async () => {
    const [a, b] = [await open(), await open()];
    await a.setProfile({ name: 'a', kind: 'tab' });
    await b.setProfile({ name: 'b', kind: 'relay' });
    const connection = link(a, b);
    await connection.idle();
    expect(a.state()).toEqual(b.state());
    expect(Object.keys(a.state().devices)).toHaveLength(2);
    const before = connection.messages.length;
    await a.putDataset(datasetSummary(1));
    await connection.idle();
    expect(b.state()).toEqual(a.state());
    expect(connection.messages.length - before).toBe(1);
  });

  it('sends a long log in bounded batches', async () => {
    const [a, b] = [await open(), await open()];
    const total = 2 * MAX_BATCH_ENTRIES + 3;
    for (let n = 0; n < total; n++) await a.putDataset(datasetSummary(n));
    const connection = link(a, b);
    await connection.idle();
    expect(b.state()).toEqual(a.state());
    const batches = connection.messages
      .filter(({ to }) => to === b)
      .map(({ bytes }) => decodeSyncMessage(bytes))
      .filter((message) => message.type === 'entries');
    expect(batches.map(({ entries }) => entries.length)).toEqual([MAX_BATCH_ENTRIES, MAX_BATCH_ENTRIES, 3]);
  });

  it('passes on what came from a third device', async () => {
    const [a, b, c] = [await open(), await open(), await open()];
    const links = [link(a, b), link(b, c)];
    await a.putDataset(datasetSummary(1));
    for (const connection of [...links, ...links]) await connection.idle();
    expect(c.state()).toEqual(a.state());
    expect(Object.keys(c.state().devices)).toEqual([a.device]);
  });

  it('asks again after a gap', async () => {
    const [a, b] = [await open(), await open()];
    for (let n = 0; n < 3; n++) await a.putDataset(datasetSummary(n));
    const sent: Uint8Array[] = [];
    const session = createReplicaSync({ replica: b })(async (bytes) => {
      sent.push(bytes);
    });
    const entries = await a.entriesSince({}, 10);
    await session.receive(encodeSyncMessage({ type: 'entries', entries: entries.slice(1) }));
    expect(sent.map(decodeSyncMessage)).toEqual([
      { type: 'heads', heads: {} },
      { type: 'heads', heads: {} },
    ]);
    await session.receive(encodeSyncMessage({ type: 'entries', entries }));
    expect(sent).toHaveLength(2);
    expect(b.state()).toEqual(a.state());
    session.close();
  });

  it('believes heads that come while it looks up what to send', async () => {
    const source = await open();
    for (let n = 0; n < 3; n++) await source.putDataset(datasetSummary(n));
    const looking = Promise.withResolvers<undefined>();
    const goOn = Promise.withResolvers<undefined>();
    const slow: RoomReplica = {
      ...source,
      entriesSince: async (heads, limit) => {
        looking.resolve(undefined);
        await goOn.promise;
        return await source.entriesSince(heads, limit);
      },
    };
    const target = await open();
    const caughtUp = new Promise<void>((resolve) => {
      target.subscribe((state) => {
        if (Object.keys(state.devices[source.device]?.datasets ?? {}).length === 3) resolve();
      });
    });
    const session = createReplicaSync({ replica: slow })(async (bytes) => {
      const message = decodeSyncMessage(bytes);
      if (message.type === 'entries') expect((await target.apply(message.entries)).rejected).toEqual([]);
    });
    await session.receive(encodeSyncMessage({ type: 'heads', heads: { [source.device]: { epoch: 1, seq: 1 } } }));
    await looking.promise;
    await session.receive(encodeSyncMessage({ type: 'heads', heads: {} }));
    goOn.resolve(undefined);
    await caughtUp;
    session.close();
  });

  it('ends a session that breaks the protocol, and one whose stream fails', async () => {
    const replica = await open();
    const session = createReplicaSync({ replica })(() => Promise.resolve());
    await expect(session.receive(Uint8Array.of(1, 2, 3))).rejects.toMatchObject({ code: 'protocol_error' });
    await session.receive(encodeSyncMessage({ type: 'heads', heads: {} }));

    const failed = await new Promise((resolve) => {
      createReplicaSync({ replica })(() => Promise.reject(new Error('reset')), resolve);
    });
    expect(failed).toMatchObject({ name: 'TabmeshError', message: 'reset' });
  });

  it('reads only whole messages', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(() => decodeSyncMessage(bytes)).toThrow(expect.objectContaining({ code: 'protocol_error' }));
      }),
    );
    const heads = { [`12D3KooW${'a'.repeat(44)}`]: { epoch: 1, seq: 2 } };
    const whole = encodeSyncMessage({ type: 'heads', heads });
    expect(decodeSyncMessage(whole)).toEqual({ type: 'heads', heads });
    for (let cut = 0; cut < whole.length; cut++) expect(() => decodeSyncMessage(whole.subarray(0, cut))).toThrow();
  });

  it('converges: any writes, partitions, duplicates and restarts', async () => {
    const device = fc.integer({ min: 0, max: 2 });
    const step = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          type: fc.constant('put' as const),
          device,
          n: fc.integer({ min: 0, max: 5 }),
          v: fc.string({ maxLength: 5 }),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({ type: fc.constant('remove' as const), device, n: fc.integer({ min: 0, max: 5 }) }),
      },
      {
        weight: 3,
        arbitrary: fc.record({ type: fc.constant('link' as const), device, other: device, twice: fc.boolean() }),
      },
      { weight: 2, arbitrary: fc.record({ type: fc.constant('partition' as const) }) },
      { weight: 1, arbitrary: fc.record({ type: fc.constant('restart' as const), device }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const keys = await Promise.all([newDevice(), newDevice(), newDevice()]);
        const stores = keys.map(() => createMemoryStore());
        const replicas = await Promise.all(keys.map((key, index) => open(key, stores[index])));
        const model = keys.map(() => new Map<string, string>());
        let links: Link[] = [];
        const cutAll = () => {
          for (const connection of links) connection.cut();
          links = [];
        };
        for (const action of steps) {
          const replica = 'device' in action ? replicas[action.device] : undefined;
          const own = 'device' in action ? model[action.device] : undefined;
          if (action.type === 'partition') cutAll();
          else if (replica === undefined || own === undefined) throw new Error('no such device');
          else if (action.type === 'put') {
            await replica.putDataset(datasetSummary(action.n, action.v));
            own.set(testCid(action.n), action.v);
          } else if (action.type === 'remove') {
            await replica.removeDataset(testCid(action.n));
            own.delete(testCid(action.n));
          } else if (action.type === 'link') {
            const other = replicas[action.other];
            if (other !== undefined && other !== replica) links.push(link(replica, other, () => action.twice));
          } else {
            cutAll();
            await replica.close();
            replicas[action.device] = await open(keys[action.device], stores[action.device]);
          }
        }
        cutAll();
        const [a, b, c] = replicas as [RoomReplica, RoomReplica, RoomReplica];
        const last = [link(a, b), link(b, c)];
        for (const connection of [...last, ...last]) await connection.idle();
        expect(b.state()).toEqual(a.state());
        expect(c.state()).toEqual(a.state());
        for (const [index, key] of keys.entries()) {
          const datasets = Object.values(a.state().devices[key.id]?.datasets ?? {});
          expect(new Map(datasets.map(({ data, name }) => [data as string, name]))).toEqual(model[index]);
        }
        for (const connection of last) connection.cut();
        await Promise.all(replicas.map((replica) => replica.close()));
        const reopened = await open(keys[0], stores[0]);
        expect(reopened.state()).toEqual(a.state());
      }),
      { numRuns: 30 },
    );
  });
});
