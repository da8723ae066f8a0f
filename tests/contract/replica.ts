import type { DeviceKey } from '../../src/mesh/identity/device-key.ts';
import { newRoom } from '../support/new-room.ts';
import { createReplica } from '../../src/mesh/replica/replica.ts';
import type { RoomReplica } from '../../src/mesh/replica/replica.ts';
import { createMemoryStore } from '../../src/mesh/storage/kv-memory.ts';
import { createProcessLock } from '../../src/mesh/storage/lock.ts';
import type { KeyValueStore } from '../../src/contracts/kv.ts';
import type { RoomState } from '../../src/contracts/replica.ts';
import { datasetSummary, exchange, newDevice, segmentManifest, testCid } from '../support/replica.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

export interface ReplicaSubject {
  open(): Promise<KeyValueStore>;
  dispose(): Promise<void>;
}

/** What the replica does on every store that it is given. */
export function replicaContract(name: string, make: () => Promise<ReplicaSubject>): void {
  describe(`Replica contract: ${name}`, () => {
    const { room } = newRoom();
    let subject: ReplicaSubject;
    let store: KeyValueStore;
    let deviceKey: DeviceKey;
    let replica: RoomReplica;

    const open = async () => {
      store = await subject.open();
      replica = await createReplica({ room, deviceKey, store, lock: createProcessLock() });
    };
    const reopen = async () => {
      await replica.close();
      await store.close();
      await open();
    };

    beforeEach(async () => {
      subject = await make();
      deviceKey = await newDevice();
      await open();
    });
    afterEach(async () => {
      await replica.close();
      await store.close();
      await subject.dispose();
    });

    it('tells how a relay is used, as long as its device says so', async () => {
      const relay = { addresses: ['/ip4/127.0.0.1/tcp/1/ws/p2p/12D3KooWx'], accessKey: 'AAECAwQFBgcICQoLDA0ODw' };
      await replica.setProfile({ name: 'a', kind: 'relay', relay });
      await reopen();
      expect(replica.state().devices[deviceKey.id]).toMatchObject({ kind: 'relay', relay });
      await replica.setProfile({ name: 'a', kind: 'relay' });
      expect(replica.state().devices[deviceKey.id]).not.toHaveProperty('relay');
      for (const wrong of [
        { addresses: [], accessKey: null },
        { addresses: Array.from({ length: 9 }, () => '/ip4/1.2.3.4'), accessKey: null },
        { addresses: ['x'.repeat(513)], accessKey: null },
        { addresses: ['/ip4/1.2.3.4'], accessKey: 'short' },
      ]) {
        await expect(replica.setProfile({ name: 'a', kind: 'relay', relay: wrong })).rejects.toMatchObject({
          code: 'invalid_input',
        });
      }
    });

    it('starts with nobody in the room', () => {
      expect(replica.device).toBe(deviceKey.id);
      expect(replica.state()).toEqual({ devices: {} });
    });

    it('holds what was written, also when opened again', async () => {
      await replica.setProfile({ name: 'Reading room', kind: 'relay' });
      await replica.putDataset(datasetSummary(1));
      await replica.putDataset(datasetSummary(2));
      await replica.putSegment(segmentManifest(1));
      await replica.removeDataset(testCid(2));
      const expected: RoomState = {
        devices: {
          [deviceKey.id]: {
            device: deviceKey.id,
            name: 'Reading room',
            kind: 'relay',
            datasets: { [testCid(1)]: datasetSummary(1) },
            segments: { [testCid(1)]: segmentManifest(1) },
          },
        },
      };
      expect(replica.state()).toEqual(expected);
      await reopen();
      expect(replica.state()).toEqual(expected);
      await replica.removeSegment(testCid(1));
      await reopen();
      expect(replica.state().devices[deviceKey.id]?.segments).toEqual({});
    });

    it('writes nothing when nothing changes', async () => {
      await replica.setProfile({ name: 'a', kind: 'tab' });
      await replica.putDataset(datasetSummary(1));
      const heads = replica.heads();
      await replica.setProfile({ name: 'a', kind: 'tab' });
      await replica.putDataset(datasetSummary(1));
      await replica.removeDataset(testCid(9));
      expect(replica.heads()).toEqual(heads);
    });

    it('tells of each change once it is durable, until unsubscribed', async () => {
      const seen: RoomState[] = [];
      const unsubscribe = replica.subscribe((state) => seen.push(state));
      await replica.putDataset(datasetSummary(1));
      expect(seen).toEqual([replica.state()]);
      unsubscribe();
      await replica.putDataset(datasetSummary(2));
      expect(seen).toHaveLength(1);
    });

    it('refuses to write what the others would ignore', async () => {
      await expect(replica.setProfile({ name: ' ', kind: 'tab' })).rejects.toMatchObject({ code: 'invalid_input' });
      await expect(replica.putDataset({ ...datasetSummary(1), count: -1 })).rejects.toMatchObject({
        code: 'invalid_input',
      });
      await expect(replica.putSegment({ ...segmentManifest(1), builtAt: 'today' })).rejects.toMatchObject({
        code: 'invalid_input',
      });
      expect(replica.heads()).toEqual({});
    });

    it("writes at the same time do not get in each other's way", async () => {
      await Promise.all(Array.from({ length: 20 }, (_, index) => replica.putDataset(datasetSummary(index))));
      await reopen();
      expect(Object.keys(replica.state().devices[deviceKey.id]?.datasets ?? {})).toHaveLength(20);
      expect(replica.heads()[deviceKey.id]).toMatchObject({ seq: 19 });
    });

    it('takes over the entries of another device, durably', async () => {
      const other = await createReplica({
        room,
        deviceKey: await newDevice(),
        store: createMemoryStore(),
        lock: createProcessLock(),
      });
      await other.setProfile({ name: 'other', kind: 'tab' });
      await other.putDataset(datasetSummary(7));
      await exchange(other, replica);
      expect(replica.state()).toEqual(other.state());
      await reopen();
      expect(replica.state()).toEqual(other.state());
      await other.close();
    });

    it('refuses data of a newer version and leaves it untouched', async () => {
      await replica.putDataset(datasetSummary(1));
      await replica.close();
      await store.put('format/replica', 99);
      const before = await dump(store);
      await expect(createReplica({ room, deviceKey, store, lock: createProcessLock() })).rejects.toMatchObject({
        code: 'format_newer',
        hint: 'Update this app.',
      });
      expect(await dump(store)).toEqual(before);
    });

    it('refuses everything after close', async () => {
      await replica.close();
      await replica.close();
      await expect(replica.putDataset(datasetSummary(1))).rejects.toMatchObject({ code: 'cancelled' });
    });
  });
}

async function dump(store: KeyValueStore): Promise<ReadonlyMap<string, unknown>> {
  const keys = await store.keys();
  return new Map(await Promise.all(keys.map(async (key) => [key, await store.get(key)] as const)));
}
