import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { recordId, wholeNumber } from '../fields.ts';
import { shardAnswerToWire } from '../hits.ts';
import { shardAnswer } from '../schemas.ts';
import { DEFAULT_TOP_K, MAX_TOP_K, SHARD_TIMEOUT_MS } from './top-k.ts';

/** Neighbours of a record by vector. */
export const relatedRecords = defineTool({
  name: 'related_records',
  category: 'search',
  title: 'Find related records',
  description:
    'Finds records whose title and abstract resemble those of a given record, the nearest first, without the record itself. ' +
    'Use it after search_index, to go on from a good hit without inventing another query. It looks in the shard of the ' +
    'device that answers, which must hold the record; the answer is not_found otherwise.',
  access: 'read',
  runtime: 'auto',
  idempotent: true,
  retry: 'exponential',
  timeoutMs: SHARD_TIMEOUT_MS,
  input: z.strictObject({
    record_id: recordId('`record_id` of a hit, such as "pubmed:27797938"'),
    top_k: wholeNumber(1, MAX_TOP_K, DEFAULT_TOP_K, 'records to return at most'),
  }),
  output: shardAnswer,
  async run({ ports, signal }, { record_id, top_k }) {
    return shardAnswerToWire(await ports.search.related(record_id, top_k, signal));
  },
});
