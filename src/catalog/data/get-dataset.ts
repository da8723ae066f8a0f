import { TabmeshError } from '../../lib/errors.ts';
import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { datasetToWire, provenanceToWire } from '../datasets.ts';
import { cid, count, wholeNumber } from '../fields.ts';
import { recordEntryToWire } from '../records.ts';
import { dataset as datasetSchema, provenance, recordEntry } from '../schemas.ts';

/** A page of records may come from another device, block by block. */
const TIMEOUT_MS = 60_000;
/** A page of abstracts that is some hundred kilobytes at most. */
const MAX_LIMIT = 100;
const DEFAULT_LIMIT = 20;
/** Records never change; who holds them does, and then the router forgets what it has kept. */
const CACHE_MS = 300_000;

/** A dataset with one page of its records. */
export const getDataset = defineTool({
  name: 'get_dataset',
  category: 'data',
  title: 'Read a dataset',
  description:
    'Returns a dataset of the room: where it comes from, who holds it, and one page of its whole records with abstracts, in ' +
    'the order of record ids. Page on with `next_offset` until it is null. Use search_index instead to find particular ' +
    'records. Records that are not held where the call runs are fetched from a device that holds them.',
  access: 'read',
  runtime: 'auto',
  idempotent: true,
  retry: 'exponential',
  ioIntensive: true,
  cacheTtlMs: CACHE_MS,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({
    dataset: cid('CID of the dataset, as list_datasets gives it'),
    offset: wholeNumber(0, Number.MAX_SAFE_INTEGER, 0, 'records to skip'),
    limit: wholeNumber(1, MAX_LIMIT, DEFAULT_LIMIT, 'records to return at most'),
  }),
  output: z.strictObject({
    dataset: datasetSchema,
    provenance,
    offset: count('of the first record here'),
    records: z.array(recordEntry),
    next_offset: z.nullable(z.int()),
  }),
  async run({ ports, signal }, { dataset, offset, limit }) {
    const known = ports.datasets.list().find(({ data }) => data === dataset);
    if (known === undefined) {
      throw new TabmeshError('not_found', `the room has no dataset ${dataset}`, {
        hint: 'list_datasets lists those it has.',
      });
    }
    const manifest = await ports.datasets.manifest(known.data, signal);
    const records = await ports.datasets.records(known.data, offset, limit, signal);
    const next = offset + records.length;
    return {
      dataset: datasetToWire(known),
      provenance: provenanceToWire(manifest.provenance),
      offset,
      records: records.map(recordEntryToWire),
      next_offset: records.length > 0 && next < known.count ? next : null,
    };
  },
});
