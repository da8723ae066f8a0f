import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { query, wholeNumber } from '../fields.ts';
import { roomResultToWire } from '../hits.ts';
import { roomSearchResult } from '../schemas.ts';
import { DEFAULT_TOP_K, MAX_TOP_K } from './top-k.ts';

/** A search is waited for by a person; a device that takes longer is named as failed. */
const TIMEOUT_MS = 20_000;

/** Search over every device of the room. */
export const searchIndex = defineTool({
  name: 'search_index',
  category: 'search',
  title: 'Search the room',
  description:
    'Full-text search over every record that the devices of the room have collected: asks all devices that are here, merges ' +
    'their hits and ranks them. Use it for any question about collected literature. Each hit has title, snippet, authors, ' +
    'year and link; get_record returns the whole abstract. `missing` names datasets that could not be searched because their ' +
    'devices are away, so an empty answer with missing datasets does not mean that nothing exists.',
  access: 'read',
  runtime: 'auto',
  idempotent: true,
  retry: 'exponential',
  requiresP2p: true,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({
    query: query('words to look for; records with more and rarer of them rank higher'),
    top_k: wholeNumber(1, MAX_TOP_K, DEFAULT_TOP_K, 'hits to return at most'),
  }),
  output: roomSearchResult,
  async run(context, { query, top_k }) {
    const { ports, signal } = context;
    return roomResultToWire(await ports.search.searchRoom({ query, topK: top_k }, signal, context));
  },
});
