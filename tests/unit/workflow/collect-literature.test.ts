import { describe, expect, it } from 'vitest';
import type { Action, Json } from '../../../src/contracts/workflow.ts';
import { createDataActions } from '../../../src/data/actions.ts';
import { encodeBlock } from '../../../src/data/codec.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { DeviceId } from '../../../src/lib/ids.ts';
import { createWorkflowActions } from '../../../src/workflow/actions.ts';
import { orderSteps } from '../../../src/workflow/dag.ts';
import { collectLiterature } from '../../../src/workflow/templates/collect-literature.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { memoryBlocks, record } from '../data/support.ts';
import { bench, RUN } from './support.ts';

/** The workflow with the real data and workflow actions; what reaches outside is played. */
function collecting(found: readonly string[], failure: TabmeshError | null = null) {
  const blocks = memoryBlocks();
  const indexed: Json[] = [];
  const search: Action = () =>
    Promise.resolve({
      ids: found,
      count: 9,
      query_translation: 'understood',
      warnings: [],
      requests: ['https://s.example'],
    });
  const fetch: Action = async () => {
    const fetched = failure === null ? found : found.slice(0, 1);
    const batch = await encodeBlock({ run: 'run-1', records: fetched.map((id) => record(id)) }, 'batch');
    await blocks.putMany([batch]);
    return {
      batches: fetched.length === 0 ? [] : [batch.cid],
      records: fetched.length,
      missing: ['404', '405'],
      requests: ['https://f.example'],
      parser_version: '1',
      failure: failure === null ? null : ({ ...failure.toWire() } as unknown as Json),
    };
  };
  const index: Action = (inputs) => {
    indexed.push(inputs);
    return Promise.resolve({ dataset: null, count: 0 });
  };
  const { start } = bench({
    'pubmed.search': search,
    'pubmed.fetch': fetch,
    'index.build': index,
    ...createDataActions({ blocks, clock: manualClock(), device: 'dev' as DeviceId }),
    ...createWorkflowActions(),
  });
  return { indexed, run: () => start(collectLiterature, {}, { query: 'sleep AND memory', max_results: 10 }) };
}

describe('collect_literature', () => {
  it('is a workflow that can run, in its order', () => {
    expect(orderSteps(collectLiterature).map(({ name }) => name)).toEqual([
      'Search PubMed',
      'Fetch records',
      'Write dataset',
      'Index',
      'Finish',
    ]);
  });

  it('ends with the dataset', async () => {
    const { run, indexed } = collecting(['1', '2']);
    const state = await run();
    expect(state).toMatchObject({
      status: 'completed',
      result: {
        run_id: RUN,
        dataset: expect.stringMatching(/^bafyrei/) as unknown,
        manifest: expect.stringMatching(/^bafyrei/) as unknown,
        records: 2,
        missing: 2,
        query_translation: 'understood',
        name: 'sleep AND memory',
      },
    });
    expect(indexed).toMatchObject([{ dataset: { name: 'sleep AND memory', count: 2, complete: true } }]);
  });

  it('ends without one when nothing was found', async () => {
    const state = await collecting([]).run();
    expect(state).toMatchObject({ status: 'completed', result: { dataset: null, manifest: null, records: 0 } });
  });

  it('keeps and indexes what came before the service failed, and says what was kept', async () => {
    const down = new TabmeshError('upstream_throttled', 'PubMed asks to slow down', {
      retryable: true,
      details: { retryAfterMs: 5 },
    });
    const { run, indexed } = collecting(['1', '2'], down);
    const state = await run();
    expect(indexed).toMatchObject([{ dataset: { count: 1, complete: false } }]);
    expect(state).toMatchObject({
      status: 'failed',
      error: {
        code: 'upstream_throttled',
        message: 'PubMed asks to slow down',
        retryable: true,
        details: { retryAfterMs: 5, fetched: 1, dataset: expect.stringMatching(/^bafyrei/) as unknown, run: RUN },
      },
      steps: { index: { status: 'completed' }, finish: { status: 'failed' } },
    });
  });
});
