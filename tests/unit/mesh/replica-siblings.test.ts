import { describe, expect, it } from 'vitest';
import { newRoom } from '../../support/new-room.ts';
import { createReplica } from '../../../src/mesh/replica/replica.ts';
import { createSiblingChannel } from '../../../src/mesh/replica/sibling-channel.browser.ts';
import { createMemoryStore } from '../../../src/mesh/storage/kv-memory.ts';
import { createWebLock } from '../../../src/mesh/storage/lock.browser.ts';
import { datasetSummary, exchange, newDevice } from '../../support/replica.ts';

describe('the tabs of one device', () => {
  it("hear of each other's writes, own and foreign, at once", async () => {
    const { room } = newRoom();
    const deviceKey = await newDevice();
    const store = createMemoryStore();
    const openTab = () =>
      createReplica({
        room,
        deviceKey,
        store,
        lock: createWebLock(`test/${room}`),
        siblings: createSiblingChannel(room),
      });
    const [one, two] = [await openTab(), await openTab()];
    const heard = () =>
      new Promise<void>((resolve) => {
        const unsubscribe = two.subscribe(() => {
          unsubscribe();
          resolve();
        });
      });

    let news = heard();
    await one.putDataset(datasetSummary(1));
    await news;
    expect(two.state()).toEqual(one.state());

    const other = await createReplica({
      room,
      deviceKey: await newDevice(),
      store: createMemoryStore(),
      lock: createWebLock('test/other'),
    });
    await other.putDataset(datasetSummary(2));
    news = heard();
    await exchange(other, one);
    await news;
    expect(two.state()).toEqual(one.state());
    expect(Object.keys(two.state().devices)).toHaveLength(2);
    for (const replica of [one, two, other]) await replica.close();
  });
});
