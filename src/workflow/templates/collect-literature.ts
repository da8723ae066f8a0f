import type { Json, StepDefinition, WorkflowDefinition } from '../../contracts/workflow.ts';
import type { StepId } from '../../lib/ids.ts';

/** A search is at most two requests; this leaves room for the retries of a throttled service. */
const SEARCH_TIMEOUT_MS = 3 * 60 * 1000;
/** 10,000 records are 100 requests of some seconds; a service that throttles hard takes several times as long. */
const FETCH_TIMEOUT_MS = 30 * 60 * 1000;
/** Hashing and storing 10,000 records takes seconds; a slow disk and a hidden tab take minutes. */
const WRITE_TIMEOUT_MS = 5 * 60 * 1000;
/** Indexing 10,000 abstracts takes half a minute on a slow machine, more in a hidden tab. */
const INDEX_TIMEOUT_MS = 10 * 60 * 1000;
/** Touches nothing but its inputs. */
const FINISH_TIMEOUT_MS = 10 * 1000;

/** Largest `max_results`: PubMed's search gives no more ids than this to a query. */
const MAX_RESULTS = 10_000;
/** The longest query that fits into the URL that asks it. */
const MAX_QUERY_CHARS = 2_000;

const ID = 'collect_literature';

/**
 * The main job: search PubMed, fetch the records, write them as a dataset, index it. When fetching fails part of the
 * way, what was fetched is still written and indexed, and the run then fails with that failure, whose details say what
 * was kept (`fetched`, `dataset`, `run`). When nothing is found, the run completes with `dataset` null.
 */
export const collectLiterature: WorkflowDefinition = {
  id: ID,
  version: '1.0.0',
  name: 'Collect literature',
  inputSchema: {
    type: 'object',
    properties: {
      query: { type: 'string', minLength: 1, maxLength: MAX_QUERY_CHARS },
      max_results: { type: 'integer', minimum: 1, maximum: MAX_RESULTS },
    },
    required: ['query', 'max_results'],
    additionalProperties: false,
  },
  steps: [
    step('search', 'Search PubMed', 'pubmed.search', SEARCH_TIMEOUT_MS, [], {
      query: '${inputs.query}',
      max_results: '${inputs.max_results}',
    }),
    step('fetch', 'Fetch records', 'pubmed.fetch', FETCH_TIMEOUT_MS, ['search'], {
      ids: '${steps.search.result.ids}',
    }),
    step('write', 'Write dataset', 'dataset.write', WRITE_TIMEOUT_MS, ['search', 'fetch'], {
      batches: '${steps.fetch.result.batches}',
      name: '${inputs.query}',
      tool: ID,
      query: '${inputs.query}',
      query_translation: '${steps.search.result.query_translation}',
      source: 'pubmed',
      missing: '${steps.fetch.result.missing}',
      requests: ['${steps.search.result.requests}', '${steps.fetch.result.requests}'],
      parser_version: '${steps.fetch.result.parser_version}',
      started_at: '${run.started_at}',
      failure: '${steps.fetch.result.failure}',
      run_id: '${run.id}',
    }),
    step('index', 'Index', 'index.build', INDEX_TIMEOUT_MS, ['write'], { dataset: '${steps.write.result}' }),
    step('finish', 'Finish', 'run.finish', FINISH_TIMEOUT_MS, ['search', 'fetch', 'write', 'index'], {
      failure: '${steps.fetch.result.failure}',
      kept: {
        fetched: '${steps.write.result.count}',
        dataset: '${steps.write.result.data}',
        run: '${run.id}',
      },
      result: {
        run_id: '${run.id}',
        dataset: '${steps.write.result.data}',
        manifest: '${steps.write.result.manifest}',
        records: '${steps.write.result.count}',
        missing: '${steps.fetch.result.missing.length}',
        query_translation: '${steps.search.result.query_translation}',
        name: '${steps.write.result.name}',
      },
    }),
  ],
  output: '${steps.finish.result}',
};

function step(
  id: string,
  name: string,
  action: string,
  timeoutMs: number,
  dependsOn: readonly string[],
  inputs: Json,
): StepDefinition {
  return { id: id as StepId, name, action, inputs, dependsOn: dependsOn as readonly StepId[], timeoutMs };
}
