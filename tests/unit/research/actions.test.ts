import * as dagCbor from '@ipld/dag-cbor';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RecordBatch } from '../../../src/contracts/dataset.ts';
import type { Json } from '../../../src/contracts/workflow.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { CidString } from '../../../src/lib/ids.ts';
import { createResearchActions } from '../../../src/research/actions.ts';
import { BATCH_IDS } from '../../../src/research/pubmed/fetch.ts';
import { PARSER_VERSION } from '../../../src/research/pubmed/parse.ts';
import { startUpstream } from '../../support/upstream-server.ts';
import type { Fault, TestUpstream } from '../../support/upstream-server.ts';
import { actionContext, errorOf, httpPort, instantClock, memoryBlocks } from './support.ts';

interface FetchResult {
  readonly batches: readonly CidString[];
  readonly records: number;
  readonly missing: readonly string[];
  readonly requests: readonly string[];
  readonly parser_version: string;
  readonly failure: { readonly code: string } | null;
}

/** Ids that exist, padded with unassigned ones so that they spread over `batches` requests. */
function idsOver(batches: number): string[] {
  const real = ['90010001', '90020001', '90030001'];
  return Array.from({ length: batches }, (_, batch) => [
    real[batch] ?? '',
    ...Array.from({ length: BATCH_IDS - 1 }, (_, index) => `${95_000_000 + batch * 1000 + index}`),
  ]).flat();
}

let upstream: TestUpstream;
beforeEach(async () => {
  upstream = await startUpstream();
});
afterEach(() => upstream.close());

function setUp(bounds?: { maxBytes?: number; timeoutMs?: number }) {
  const blocks = memoryBlocks();
  const clock = instantClock();
  const actions = createResearchActions({
    fetch: httpPort(upstream.url, bounds),
    blocks,
    clock,
    email: 'test@example.org',
    random: () => 0,
  });
  return { actions, blocks, clock };
}

async function fetchInto(set: ReturnType<typeof setUp>, ids: Json, context = actionContext()): Promise<FetchResult> {
  return (await set.actions['pubmed.fetch']({ ids }, context)) as unknown as FetchResult;
}

describe('pubmed.search and pubmed.fetch over the self-written records', () => {
  it.each([
    ['sleep memory', 15],
    ['CRISPR base editing', 15],
    ['gut microbiome mood', 15],
  ])('collects what "%s" finds, and says what is gone', async (query, atLeast) => {
    const set = setUp();
    const found = (await set.actions['pubmed.search']({ query, max_results: 50 }, actionContext())) as {
      ids: string[];
      count: number;
      query_translation: string;
    };
    expect(found.count).toBeGreaterThanOrEqual(atLeast);
    expect(found.query_translation).toContain('[All Fields]');
    const result = await fetchInto(set, found.ids);
    expect(result.records + result.missing.length).toBe(found.ids.length);
    expect(result.missing).toHaveLength(1);
    expect(result).toMatchObject({ parser_version: PARSER_VERSION, failure: null });
    expect(JSON.stringify(result.requests)).not.toContain('example.org');

    const stored = result.batches.flatMap((cid) => {
      const bytes = set.blocks.map.get(cid);
      return bytes === undefined ? [] : dagCbor.decode<RecordBatch>(bytes).records;
    });
    expect(stored).toHaveLength(result.records);
    expect(stored.every(({ title, url }) => title !== '' && url.startsWith('https://pubmed.ncbi'))).toBe(true);
  });

  it('gives the same blocks for the same ids', async () => {
    const ids = ['90010001', '90020001'];
    const [one, two] = [await fetchInto(setUp(), ids), await fetchInto(setUp(), [...ids, ...ids])];
    expect(one.batches).toEqual(two.batches);
  });

  it('tells progress after every batch', async () => {
    const context = actionContext();
    await fetchInto(setUp(), idsOver(2), context);
    expect(context.seen.map(({ done, total }) => [done, total])).toEqual([
      [0, 200],
      [100, 200],
      [200, 200],
    ]);
    expect(context.seen.at(-1)?.message).toBe('Fetched 2 records, 198 not in PubMed');
  });

  it('asks nothing for no ids', async () => {
    expect(await fetchInto(setUp(), [])).toMatchObject({ batches: [], records: 0, failure: null });
    expect(upstream.count()).toBe(0);
  });
});

describe('inputs', () => {
  it.each([
    { query: '', max_results: 10 },
    { query: ' \n\t ', max_results: 10 },
    { query: 7, max_results: 10 },
    { query: 'x'.repeat(2001), max_results: 10 },
    { max_results: 10 },
    { query: 'sleep' },
    { query: 'sleep', max_results: 0 },
    { query: 'sleep', max_results: -1 },
    { query: 'sleep', max_results: 10_001 },
    { query: 'sleep', max_results: 1.5 },
    { query: 'sleep', max_results: '10' },
    null,
    ['sleep', 10],
  ] as Json[])('%j is refused before anything is asked', async (inputs) => {
    const error = await errorOf(setUp().actions['pubmed.search'](inputs, actionContext()));
    expect(error.code).toBe('invalid_input');
    expect(error.hint).not.toBeNull();
    expect(upstream.count()).toBe(0);
  });

  it.each([{}, { ids: 'x' }, { ids: [1] }, { ids: ['1&retmax=9'] }, { ids: ['0'] }, { ids: [''] }] as Json[])(
    'ids in %j are refused before anything is asked',
    async (inputs) => {
      expect((await errorOf(setUp().actions['pubmed.fetch'](inputs, actionContext()))).code).toBe('invalid_input');
      expect(upstream.count()).toBe(0);
    },
  );
});

const FAULTS: readonly (readonly [Fault, string, number])[] = [
  [{ kind: 'status', status: 500 }, 'upstream_error', 4],
  [{ kind: 'status', status: 400 }, 'upstream_error', 1],
  [{ kind: 'throttled', retryAfterSeconds: 2 }, 'upstream_throttled', 4],
  [{ kind: 'throttled', retryAfterSeconds: 3600 }, 'upstream_throttled', 1],
  [{ kind: 'garbage' }, 'upstream_malformed', 1],
  [{ kind: 'html' }, 'upstream_malformed', 1],
  [{ kind: 'endless' }, 'upstream_too_large', 1],
  [{ kind: 'silence' }, 'timeout', 1],
  [{ kind: 'reset' }, 'upstream_unreachable', 4],
];

describe('an upstream that misbehaves', () => {
  const bounds = { maxBytes: 1024 * 1024, timeoutMs: 500 };

  it.each(FAULTS)('%j from the start fails the search and the fetch with %s', async (fault, code, requests) => {
    upstream.misbehave({ fault });
    const search = setUp(bounds).actions['pubmed.search']({ query: 'sleep', max_results: 5 }, actionContext());
    expect((await errorOf(search)).code).toBe(code);
    expect(upstream.count('esearch')).toBe(requests);
    expect((await errorOf(fetchInto(setUp(bounds), ['90010001']))).code).toBe(code);
    expect(upstream.count('efetch')).toBe(requests);
  });

  it.each(FAULTS)('%j after the first batch keeps that batch and reports %s', async (fault, code) => {
    upstream.misbehave({ fault, when: 'efetch', after: 1 });
    const set = setUp(bounds);
    const result = await fetchInto(set, idsOver(3));
    expect(result.failure).toMatchObject({ code });
    expect(result.records).toBe(1);
    expect(result.requests).toHaveLength(1);
    expect([...set.blocks.map.keys()]).toEqual(result.batches);
  });

  it('is forgiven a passing trouble', async () => {
    upstream.misbehave({ fault: { kind: 'reset' }, times: 1 }, { fault: { kind: 'status', status: 502 }, times: 1 });
    const set = setUp();
    expect(await fetchInto(set, ['90010001'])).toMatchObject({ records: 1, failure: null });
    expect(upstream.count()).toBe(3);
  });

  it('is waited for when it is only slow', async () => {
    upstream.misbehave({ fault: { kind: 'slow', ms: 50 } });
    expect(await fetchInto(setUp(), ['90010001'])).toMatchObject({ records: 1 });
  });
});

describe('what must not be swallowed', () => {
  it('a full store is told, and what was stored before stays', async () => {
    const set = setUp();
    const put = set.blocks.putMany.bind(set.blocks);
    let puts = 0;
    set.blocks.putMany = (blocks, signal) => {
      puts += 1;
      return puts === 1 ? put(blocks, signal) : Promise.reject(new TabmeshError('quota_exceeded', 'no room'));
    };
    const result = await fetchInto(set, idsOver(3));
    expect(result).toMatchObject({ records: 1, failure: { code: 'quota_exceeded' } });
    expect([...set.blocks.map.keys()]).toEqual(result.batches);
  });

  it('a store that is full from the start fails the step and leaves nothing', async () => {
    const set = setUp();
    set.blocks.putMany = () => Promise.reject(new TabmeshError('quota_exceeded', 'no room'));
    expect((await errorOf(fetchInto(set, idsOver(2)))).code).toBe('quota_exceeded');
    expect(set.blocks.map.size).toBe(0);
  });

  it('a cancelled fetch throws, also after a batch, and leaves no blocks behind', async () => {
    upstream.misbehave({ fault: { kind: 'silence' }, after: 1 });
    const controller = new AbortController();
    const set = setUp();
    const fetching = errorOf(fetchInto(set, idsOver(2), actionContext(controller.signal)));
    await upstream.received(2);
    controller.abort();
    expect((await fetching).code).toBe('cancelled');
    expect(set.blocks.map.size).toBe(0);
  });
});
