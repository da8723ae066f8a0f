import type { BlockStore } from '../contracts/dataset.ts';
import type { FetchPort } from '../contracts/fetch.ts';
import type { Action, Json, StepProgress } from '../contracts/workflow.ts';
import type { Clock } from '../lib/clock.ts';
import { TabmeshError, toTabmeshError } from '../lib/errors.ts';
import type { CidString, RunId } from '../lib/ids.ts';
import { createProcessGate } from './gate.ts';
import type { RequestGate } from './gate.ts';
import { readFetchInputs, readSearchInputs } from './inputs.ts';
import { createEutils } from './pubmed/eutils.ts';
import type { Eutils } from './pubmed/eutils.ts';
import { fetchPubmed } from './pubmed/fetch.ts';
import type { FetchedBatch } from './pubmed/fetch.ts';
import { PARSER_VERSION } from './pubmed/parse.ts';
import { searchPubmed } from './pubmed/search.ts';
import { encodeRecordBlocks } from './record-blocks.ts';

export interface ResearchOptions {
  readonly fetch: FetchPort;
  /** fetched records are written here; only their CIDs go on */
  readonly blocks: BlockStore;
  readonly clock: Clock;
  /** contact address sent to NCBI with each request */
  readonly email: string;
  /** spans the tabs of a browser; without it the line is this process's own */
  readonly gate?: RequestGate;
  /** uniform in [0, 1); jitter of the back-off */
  readonly random?: () => number;
}

/** The workflow actions that reach literature services. */
export interface ResearchActions {
  /** `{query, max_results}` → `{ids, count, query_translation, warnings, requests}` */
  readonly 'pubmed.search': Action;
  /**
   * `{ids}` → `{batches, records, missing, requests, parser_version, failure}`. `batches` are CIDs of `RecordBatch`
   * blocks, `records` their number of records. When the service fails or the store is full after records were
   * fetched, `failure` says why, and the fetched ones stay; with nothing fetched, or when cancelled, the action throws.
   */
  readonly 'pubmed.fetch': Action;
}

/** Builds the actions. They share one polite queue, so make them once per worker or process. */
export function createResearchActions(options: ResearchOptions): ResearchActions {
  const { fetch, blocks, clock, email, gate = createProcessGate(), random = Math.random } = options;
  const eutils = createEutils({ fetch, gate, clock, random, email });
  return {
    'pubmed.search': async (inputs, { signal, progress }) => {
      const { query, maxResults } = readSearchInputs(inputs);
      progress({ done: 0, total: null, message: 'Asking PubMed' });
      const found = await searchPubmed(eutils, query, maxResults, signal);
      return {
        ids: found.ids,
        count: found.count,
        query_translation: found.queryTranslation,
        warnings: found.warnings,
        requests: found.requests,
      };
    },
    'pubmed.fetch': async (inputs, { runId, signal, progress }) =>
      fetchIntoBlocks({ eutils, blocks, ids: readFetchInputs(inputs), runId, signal, progress }),
  };
}

interface Fetching {
  readonly eutils: Eutils;
  readonly blocks: BlockStore;
  readonly ids: readonly string[];
  readonly runId: RunId;
  readonly signal: AbortSignal;
  readonly progress: (p: StepProgress) => void;
}

async function fetchIntoBlocks({ eutils, blocks, ids, runId, signal, progress }: Fetching): Promise<Json> {
  const written: CidString[] = [];
  const missing: string[] = [];
  const requests: string[] = [];
  let records = 0;
  let failure: TabmeshError | null = null;
  const batches = fetchPubmed(eutils, ids, signal);
  progress({ done: 0, total: ids.length, message: `Fetching ${counted(ids.length)}` });
  try {
    for (;;) {
      const next = await nextOrFailure(batches, signal);
      if (next === null) break;
      failure = next instanceof TabmeshError ? next : await keep(next);
      if (failure === null) continue;
      if (records === 0) throw failure;
      break;
    }
  } catch (thrown) {
    // nobody will name these blocks
    await Promise.allSettled([blocks.deleteMany(written)]);
    throw thrown;
  }
  return {
    batches: written,
    records,
    missing,
    requests,
    parser_version: PARSER_VERSION,
    failure: failureJson(failure),
  };

  /** @returns why the store has no room for the batch; what was stored before stays */
  async function keep(batch: FetchedBatch): Promise<TabmeshError | null> {
    const encoded = await encodeRecordBlocks(batch.records, runId);
    try {
      await blocks.putMany(encoded, signal);
    } catch (thrown) {
      const error = toTabmeshError(thrown, 'storage_failed');
      if (error.code === 'quota_exceeded') return error;
      throw error;
    }
    written.push(...encoded.map(({ cid }) => cid));
    missing.push(...batch.missing);
    requests.push(batch.url);
    records += batch.records.length;
    const message = `Fetched ${counted(records)}${missing.length === 0 ? '' : `, ${missing.length} not in PubMed`}`;
    progress({ done: records + missing.length, total: ids.length, message });
    return null;
  }
}

/** The next batch, null after the last one, or the service's failure. @throws when cancelled */
async function nextOrFailure(
  batches: AsyncGenerator<FetchedBatch, void, void>,
  signal: AbortSignal,
): Promise<FetchedBatch | TabmeshError | null> {
  try {
    const next = await batches.next();
    return next.done === true ? null : next.value;
  } catch (thrown) {
    if (signal.aborted) throw toTabmeshError(signal.reason, 'cancelled');
    return toTabmeshError(thrown, 'upstream_error');
  }
}

function counted(records: number): string {
  return `${records.toLocaleString('en')} ${records === 1 ? 'record' : 'records'}`;
}

/** Details hold JSON values only (see TabmeshErrorOptions), so the wire form is JSON. */
function failureJson(failure: TabmeshError | null): Json {
  return failure === null ? null : (failure.toWire() as unknown as Json);
}
