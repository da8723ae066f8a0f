import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { count, query, wholeNumber } from '../fields.ts';
import { runProgress } from './run-progress.ts';

/** PubMed serves no more than this many ids of one search. */
const MAX_RESULTS = 10_000;
/** Ten thousand records at PubMed's three requests a second, with its slow hours. */
const TIMEOUT_MS = 15 * 60 * 1000;

const output = z.strictObject({
  run_id: z.string(),
  dataset: z.nullable(z.string()).check(z.describe('CID of the dataset for get_dataset; null when nothing matched')),
  manifest: z.nullable(z.string()).check(z.describe('CID of its times and provenance')),
  records: count('records in the dataset'),
  missing: count('ids that PubMed found but did not deliver'),
  query_translation: z.nullable(z.string()).check(z.describe('how PubMed understood the query')),
  name: z.string().check(z.describe('name of the dataset')),
});

/** The main job: a workflow run that fetches, stores and indexes. */
export const collectLiterature = defineTool({
  name: 'collect_literature',
  category: 'research',
  title: 'Collect literature',
  description:
    'Searches PubMed, downloads the matching records with their abstracts, keeps them in the room as a dataset and indexes ' +
    'them. Use it to bring in literature that the room does not have yet; use search_index first for what it already has. ' +
    'Takes seconds for a hundred records and minutes for thousands, and reports progress. Returns the CID of the dataset; ' +
    'afterwards search_index finds the records. Each call makes new requests to PubMed.',
  access: 'compute',
  runtime: 'mesh',
  idempotent: false,
  ioIntensive: true,
  openWorld: true,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({
    query: query('PubMed query: plain words, or its syntax with field tags and AND, OR, NOT'),
    max_results: wholeNumber(1, MAX_RESULTS, 100, 'records to collect at most, in the order of PubMed'),
  }),
  output,
  async run({ ports, signal, progress }, { query, max_results }) {
    const result = await ports.runs.run(
      'collect_literature',
      { query, max_results },
      { signal, ...runProgress(ports.runs, progress) },
    );
    // the workflow's own definition promises this shape, and the output schema holds it to it
    return result as z.output<typeof output>;
  },
});
