import 'fake-indexeddb/auto';
import { expect, it } from 'vitest';
import type { RoomClient } from '../../../src/contracts/app.ts';
import { importCar } from '../../../src/data/car-import.ts';
import { writeDataset } from '../../../src/data/write.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import { randomId, type DeviceId, type RoomId } from '../../../src/lib/ids.ts';
import { deviceKeyIn, loadDeviceKey } from '../../../src/mesh/identity/device-key.ts';
import { createBlockStore } from '../../../src/mesh/storage/blocks.ts';
import { createMemoryStore } from '../../../src/mesh/storage/kv-memory.ts';
import { createProcessLock } from '../../../src/mesh/storage/lock.ts';
import { OWNER } from '../../../src/peer/room/sweep-room.ts';
import { startOver } from '../../../src/peer/tab/start-over.ts';
import { openRoomStorage } from '../../../src/peer/tab/storage.ts';
import { NEVER, provenance, record } from '../data/support.ts';

/** A device with one dataset in a room, and a list of it. */
async function deviceInRoom(ids: readonly string[]) {
  const room = randomId() as RoomId;
  const deviceStore = createMemoryStore();
  const old = await loadDeviceKey({ store: deviceStore, lock: createProcessLock() });
  const storage = await openRoomStorage(room);
  await storage.store.put('replica/head/old', 1);
  await storage.store.put(OWNER, old.id);
  const { blocks } = storage;
  const name = 'sleep';
  const content = { records: ids.map((id) => record(id)), name, provenance: provenance({ query: name }) };
  if (ids.length > 0) await writeDataset(content, blocks, NEVER);
  await storage.close();
  const look = async () => {
    const opened = await openRoomStorage(room);
    const [owner, list] = await Promise.all([
      opened.store.get<DeviceId>(OWNER),
      opened.store.get<number>('replica/head/old'),
    ]);
    const kept = await Array.fromAsync(opened.blocks.list());
    await opened.close();
    return { owner, list, blocks: kept.length };
  };
  return { room, deviceStore, old, look };
}

async function* bytesOf(car: Blob) {
  yield new Uint8Array(await car.arrayBuffer());
}

/** A room that takes datasets, or does not. */
function roomThat(imports: (car: Blob) => Promise<void>) {
  const asked: Blob[] = [];
  let closed = false;
  const client = {
    importDatasets: async (car: Blob) => {
      asked.push(car);
      await imports(car);
      return [];
    },
    close: () => {
      closed = true;
      return Promise.resolve();
    },
  } as unknown as RoomClient;
  return { client, asked, isClosed: () => closed };
}

it('a device that starts anew has another key in that room alone, and gives the room its datasets again', async () => {
  const { room, deviceStore, old, look } = await deviceInRoom(['1', '2']);
  const before = await look();
  const { client, asked } = roomThat(async (car) => {
    // nothing may take the blocks for unlisted meanwhile
    expect(await look()).toEqual({ owner: old.id, list: undefined, blocks: before.blocks });
    const [dataset] = await importCar(bytesOf(car), createBlockStore(createMemoryStore()), NEVER);
    expect(dataset).toMatchObject({ name: 'sleep', count: 2 });
  });
  expect(await startOver({ room, old, deviceStore, open: () => Promise.resolve(client) })).toBe(client);
  expect(asked).toHaveLength(1);

  const renewed = await deviceKeyIn(room, old, deviceStore);
  expect(renewed.id).not.toBe(old.id);
  expect(await look()).toEqual({ owner: renewed.id, list: undefined, blocks: before.blocks });
  expect((await deviceKeyIn(randomId() as RoomId, old, deviceStore)).id).toBe(old.id);
});

it('a device that fails to give its datasets to the room again keeps their blocks', async () => {
  const { room, deviceStore, old, look } = await deviceInRoom(['1']);
  const { blocks } = await look();
  const { client, isClosed } = roomThat(() => Promise.reject(new TabmeshError('quota_exceeded', 'the disk is full')));
  await expect(startOver({ room, old, deviceStore, open: () => Promise.resolve(client) })).rejects.toMatchObject({
    code: 'quota_exceeded',
  });
  expect(isClosed()).toBe(true);
  // the sweep deletes nothing of a store that is another device's
  expect(await look()).toMatchObject({ owner: old.id, blocks });
});

it('a device without datasets starts anew, too', async () => {
  const { room, deviceStore, old, look } = await deviceInRoom([]);
  const { client, asked } = roomThat(() => Promise.resolve());
  await startOver({ room, old, deviceStore, open: () => Promise.resolve(client) });
  expect(asked).toEqual([]);
  expect((await look()).owner).not.toBe(old.id);
});
