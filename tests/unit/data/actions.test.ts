import { describe, expect, it } from 'vitest';
import type { Json, StepProgress } from '../../../src/contracts/workflow.ts';
import { createDataActions } from '../../../src/data/actions.ts';
import { encodeBlock } from '../../../src/data/codec.ts';
import { readManifest, readRecords } from '../../../src/data/read.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { CidString, DeviceId, RunId } from '../../../src/lib/ids.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { memoryBlocks, NEVER, record, type MemoryBlocks } from './support.ts';

const FINISHED = Date.UTC(2024, 4, 1);

async function batches(blocks: MemoryBlocks, ...groups: readonly (readonly string[])[]): Promise<CidString[]> {
  const encoded = await Promise.all(
    groups.map((ids) => encodeBlock({ run: 'run-1', records: ids.map((id) => record(id)) }, 'batch')),
  );
  await blocks.putMany(encoded);
  return encoded.map(({ cid }) => cid);
}

function inputs(cids: readonly CidString[], changes: Readonly<Record<string, Json>> = {}): Json {
  return {
    batches: cids,
    name: 'my query',
    tool: 'collect_literature',
    query: 'my query',
    query_translation: null,
    source: 'pubmed',
    missing: ['9'],
    requests: [['https://a.example/1'], ['https://a.example/2']],
    parser_version: '1',
    started_at: '2024-04-30T23:59:00.000Z',
    failure: null,
    run_id: 'r1',
    ...changes,
  };
}

function writing(
  blocks: MemoryBlocks,
  json: Json,
  signal = NEVER,
  progress: (p: StepProgress) => void = () => undefined,
) {
  const actions = createDataActions({ blocks, clock: manualClock(FINISHED), device: 'dev' as DeviceId });
  return actions['dataset.write'](json, { runId: 'r1' as RunId, signal, progress });
}

describe('dataset.write', () => {
  it('turns batches into a dataset and lets go of them', async () => {
    const blocks = memoryBlocks();
    const cids = await batches(blocks, ['1', '2'], ['2', '3']);
    const seen: StepProgress[] = [];
    const summary = await writing(blocks, inputs(cids), NEVER, (p) => seen.push(p));
    expect(summary).toMatchObject({
      name: 'my query',
      count: 3,
      createdAt: '2024-05-01T00:00:00.000Z',
      complete: true,
    });
    const { data, manifest } = summary as { data: CidString; manifest: CidString };
    expect(await readRecords(data, 0, 9, blocks, NEVER)).toHaveLength(3);
    expect((await readManifest(manifest, blocks, NEVER)).provenance).toEqual({
      tool: 'collect_literature',
      source: 'pubmed',
      query: 'my query',
      queryTranslation: null,
      startedAt: '2024-04-30T23:59:00.000Z',
      finishedAt: '2024-05-01T00:00:00.000Z',
      requests: ['https://a.example/1', 'https://a.example/2'],
      missing: ['9'],
      parserVersion: '1',
      runId: 'r1',
      device: 'dev',
      complete: true,
    });
    expect(cids.filter((cid) => blocks.held.has(cid))).toEqual([]);
    expect(seen.at(-1)).toEqual({ done: 2, total: 2, message: 'Storing 4 records' });
  });

  it('says that a collection which failed on the way is not complete', async () => {
    const blocks = memoryBlocks();
    const failure = { ...new TabmeshError('upstream_error', 'down').toWire() } as unknown as Json;
    expect(await writing(blocks, inputs(await batches(blocks, ['1']), { failure }))).toMatchObject({ complete: false });
  });

  it('writes no dataset when there is no record, and does not fail', async () => {
    const blocks = memoryBlocks();
    expect(await writing(blocks, inputs([]))).toMatchObject({ data: null, manifest: null, count: 0, name: 'my query' });
    expect(blocks.held.size).toBe(0);
  });

  it('gives up the batches to make room in a full store', async () => {
    const blocks = memoryBlocks();
    const cids = await batches(blocks, ['1', '2']);
    blocks.beforePut = () => {
      if (cids.some((cid) => blocks.held.has(cid))) throw new DOMException('full', 'QuotaExceededError');
    };
    expect(await writing(blocks, inputs(cids))).toMatchObject({ count: 2 });
  });

  it('says how many records were lost when the store stays full, and leaves nothing in it', async () => {
    const blocks = memoryBlocks();
    const cids = await batches(blocks, ['1', '2']);
    blocks.beforePut = () => {
      throw new DOMException('full', 'QuotaExceededError');
    };
    await expect(writing(blocks, inputs(cids))).rejects.toMatchObject({
      code: 'quota_exceeded',
      details: { fetched: 2 },
    });
    expect(blocks.held.size).toBe(0);
  });

  it.each<[string, Json]>([
    ['nothing', null],
    ['no batches', inputs(['bafy' as CidString])],
    ['an unknown field', inputs([], { surprise: 1 })],
  ])('refuses %s', async (_, json) => {
    await expect(writing(memoryBlocks(), json)).rejects.toMatchObject({ code: 'invalid_input' });
  });
});
