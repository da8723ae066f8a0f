import { describe, expect, it } from 'vitest';
import { newRoom } from '../../support/new-room.ts';
import { createDeviceDoc } from '../../../src/mesh/replica/doc.ts';
import { createReplicaLog } from '../../../src/mesh/replica/log.ts';
import { createReplica } from '../../../src/mesh/replica/replica.ts';
import { createMemoryStore } from '../../../src/mesh/storage/kv-memory.ts';
import { createProcessLock } from '../../../src/mesh/storage/lock.ts';
import { datasetSummary, newDevice } from '../../support/replica.ts';

async function place() {
  const { room } = newRoom();
  const store = createMemoryStore();
  return { room, store, lock: createProcessLock(), deviceKey: await newDevice() };
}

describe("what a device's own document lists", () => {
  it('is read to its end, whoever of the device wrote it', async () => {
    const options = await place();
    const [here, there] = [await createReplica(options), await createReplica(options)];
    expect(await here.ownDatasets()).toEqual([]);
    await there.putDataset(datasetSummary(1));
    await there.putDataset(datasetSummary(2));
    await there.removeDataset(datasetSummary(1).data);
    expect(await here.ownDatasets()).toEqual([datasetSummary(2)]);
    expect(here.state()).toEqual(there.state());
    for (const replica of [here, there]) await replica.close();
  });

  it('is not told in part when a newer app has written something into it', async () => {
    const options = await place();
    const replica = await createReplica(options);
    await replica.putDataset(datasetSummary(1));
    const update = createDeviceDoc().change(({ datasets }) => {
      datasets.set(datasetSummary(2).data, { ...datasetSummary(2), source: 'another' });
    });
    if (update === undefined) throw new Error('nothing was changed');
    await createReplicaLog({ ...options, now: () => Date.now() }).exclusive((writer) =>
      writer.append(options.deviceKey, update),
    );
    await expect(replica.ownDatasets()).rejects.toMatchObject({ code: 'format_newer' });
    // what can be read is still shown
    expect(Object.keys(replica.state().devices[replica.device]?.datasets ?? {})).toEqual([datasetSummary(1).data]);
    await replica.close();
  });

  it('is not told in part when a copy of the device has written under its key: what is stored here is more', async () => {
    const here = await place();
    const one = await createReplica(here);
    const copy = await createReplica({ ...here, store: createMemoryStore(), lock: createProcessLock() });
    await one.putDataset(datasetSummary(1));
    await copy.putDataset(datasetSummary(2));
    await one.apply(await copy.entriesSince({}, 10));
    expect(one.state().devices[one.device]).toMatchObject({ forked: true, datasets: {} });
    await expect(one.ownDatasets()).rejects.toMatchObject({ code: 'conflict', hint: 'Start anew in this room.' });
    for (const replica of [one, copy]) await replica.close();
  });
});
