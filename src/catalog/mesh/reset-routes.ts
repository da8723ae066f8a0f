import type { PeerId } from '../../lib/ids.ts';
import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { count } from '../fields.ts';
import { orNull, peerId } from '../peers/fields.ts';

/** Nothing is asked of anybody. */
const TIMEOUT_MS = 5000;
const MAX_NAME_CHARS = 64;

/** Close circuit breakers by hand. */
export const resetRoutes = defineTool({
  name: 'reset_routes',
  category: 'mesh',
  title: 'Try places again',
  description:
    'Has the router of the peer that is asked call places again at once that it leaves alone since they failed several times ' +
    'in a row. It does so by itself after a minute. Use it when what was wrong there has been mended.',
  access: 'admin',
  runtime: 'auto',
  local: true,
  idempotent: true,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({
    place: orNull(peerId, 'only of this peer; null: of all'),
    tool: orNull(z.string().check(z.minLength(1), z.maxLength(MAX_NAME_CHARS)), 'only of this tool; null: of all'),
  }),
  output: z.strictObject({ reset: count('tools at places that were left alone until now') }),
  run: async ({ ports }, { place, tool }) => ({
    reset: await ports.routing.resetBreakers(place as PeerId | null, tool),
  }),
});
