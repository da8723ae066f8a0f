import type { CidString } from '../../lib/ids.ts';
import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { cid } from '../fields.ts';
import { recordEntryToWire } from '../records.ts';
import { recordEntry } from '../schemas.ts';

/** One block, perhaps from another device that has to be dialled first. */
const TIMEOUT_MS = 30_000;
/** The content of a CID never changes; an hour is what memory is worth, not how long it is true. */
const CACHE_MS = 3_600_000;

/** A whole record by its content address. */
export const getRecord = defineTool({
  name: 'get_record',
  category: 'data',
  title: 'Read a record',
  description:
    'Returns one whole record: full abstract, authors, journal, dates, DOI, MeSH terms, keywords, trial ids, and notices such ' +
    'as retractions. Use it on a hit of search_index, whose answer carries a snippet only. The bytes are verified against ' +
    'the CID, whichever device they come from.',
  access: 'read',
  runtime: 'auto',
  idempotent: true,
  retry: 'exponential',
  cacheTtlMs: CACHE_MS,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({ cid: cid('`record_cid` of a hit, or `cid` of a record of get_dataset') }),
  output: recordEntry,
  async run({ ports, signal }, { cid }) {
    return recordEntryToWire(await ports.datasets.record(cid as CidString, signal));
  },
});
