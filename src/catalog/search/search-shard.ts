import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { query, wholeNumber } from '../fields.ts';
import { shardAnswerToWire } from '../hits.ts';
import { shardAnswer } from '../schemas.ts';
import { DEFAULT_TOP_K, MAX_TOP_K, SHARD_TIMEOUT_MS } from './top-k.ts';

/** What the fan-out of `search_index` calls at each device. */
export const searchShard = defineTool({
  name: 'search_shard',
  category: 'search',
  title: 'Search one device',
  description:
    'Full-text search over the records that one device has indexed, and no others. It is the part of search_index that each ' +
    'device does; call search_index instead unless you want to know what one particular device holds.',
  access: 'read',
  runtime: 'mesh',
  idempotent: true,
  retry: 'exponential',
  timeoutMs: SHARD_TIMEOUT_MS,
  input: z.strictObject({
    query: query('words to look for'),
    top_k: wholeNumber(1, MAX_TOP_K, DEFAULT_TOP_K, 'hits to return at most'),
  }),
  output: shardAnswer,
  async run({ ports, signal }, { query, top_k }) {
    return shardAnswerToWire(await ports.search.searchShard({ query, topK: top_k }, signal));
  },
});
