import { beforeEach, describe, expect, it } from 'vitest';
import { FORMAT_VERSIONS } from '../../../src/contracts/versions.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import type { CidString } from '../../../src/lib/ids.ts';
import { createMemoryStore } from '../../../src/mesh/storage/kv-memory.ts';
import { createShardSearch } from '../../../src/search/shard.ts';
import { indexable, LIBRARY } from '../../contract/search-records.ts';

const GOOD = 'dataset-good' as CidString;
const BAD = 'dataset-bad' as CidString;

describe('stored segments', () => {
  const store = { ...createMemoryStore() };
  let key: string;
  let value: Record<string, unknown>;
  const shard = () => createShardSearch({ store, clock: systemClock });
  const spoil = (changes: Record<string, unknown>) => store.put(key, { ...value, ...changes });

  beforeEach(async () => {
    for (const old of await store.keys()) await store.delete(old);
    const first = shard();
    await first.addSegment(GOOD, LIBRARY);
    await first.addSegment(BAD, [indexable('9', { title: 'Zebra finch song' })]);
    key = (await store.keys()).find((candidate) => candidate.includes(BAD)) ?? '';
    value = (await store.get<Record<string, unknown>>(key)) ?? {};
  });

  it('has one key for each', async () => {
    expect(await store.keys()).toHaveLength(2);
  });

  it('refuses one of a newer format, leaves it untouched, and loads the others', async () => {
    const version = FORMAT_VERSIONS.segment + 1;
    await spoil({ version, docs: 'what only a newer app can read' });
    const found = shard();
    await expect(found.load()).rejects.toMatchObject({
      code: 'format_newer',
      message: expect.stringContaining(BAD) as string,
      details: { segments: [{ code: 'format_newer', dataset: BAD, version }] },
    });
    expect(await found.search({ query: 'arthritis', topK: 1 })).toMatchObject({ total: 1, datasets: [GOOD] });
    await expect(found.addSegment(BAD, LIBRARY)).rejects.toMatchObject({ code: 'format_newer' });
    await expect(found.removeSegment(BAD)).rejects.toMatchObject({ code: 'format_newer' });
    expect(await store.get(key)).toEqual({ ...value, version, docs: 'what only a newer app can read' });
  });

  it.each([
    ['no object', 17],
    ['another thing', { format: 'tabmesh/dataset' }],
    ['an unknown version', { version: 0 }],
    ['no manifest', { manifest: null }],
    ['the manifest of another dataset', { manifest: { dataset: GOOD } }],
    ['no records', { docs: [] }],
    ['a record without its fields', { docs: [{ cid: 'x' }] }],
    ['records that are none', { docs: { length: 1 } }],
  ])('names one that is corrupt (%s) and loads the others', async (_what, damage) => {
    await (typeof damage === 'number' ? store.put(key, damage) : spoil(damage));
    const found = shard();
    await expect(found.load()).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining(BAD) as string,
      details: { segments: [{ code: 'corrupt', dataset: BAD }] },
    });
    expect((await found.segments()).map(({ dataset }) => dataset)).toEqual([GOOD]);
  });

  it('replaces a corrupt one when the dataset is indexed again', async () => {
    await store.put(key, 'garbage');
    const found = shard();
    await expect(found.load()).rejects.toMatchObject({ code: 'corrupt' });
    await found.addSegment(BAD, [indexable('9', { title: 'Zebra finch song' })]);
    const restarted = shard();
    await restarted.load();
    expect((await restarted.search({ query: 'zebra', topK: 1 })).total).toBe(1);
  });

  it('removes a corrupt one', async () => {
    await store.put(key, 'garbage');
    await shard().removeSegment(BAD);
    await shard().load();
    expect(await store.keys()).toHaveLength(1);
  });

  it('reports a store that fails', async () => {
    const broken = { ...store, keys: () => Promise.reject(new Error('the disk is gone')) };
    const found = createShardSearch({ store: broken, clock: systemClock });
    await expect(found.load()).rejects.toMatchObject({ code: 'storage_failed' });
  });
});
