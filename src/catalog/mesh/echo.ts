import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';

/** Long enough to measure a payload, short enough to stay one frame. */
const MAX_TEXT_CHARS = 16_384;
/** Nothing is computed: whatever takes longer is a broken link. */
const TIMEOUT_MS = 5000;

/** The smallest call there is. */
export const echo = defineTool({
  name: 'echo',
  category: 'mesh',
  title: 'Echo',
  description:
    'Returns the given text and the id of the peer that answered, and does nothing else. Use it to check that a peer can be ' +
    'reached and how long a call takes.',
  access: 'read',
  runtime: 'mesh',
  idempotent: true,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({ text: z.string().check(z.maxLength(MAX_TEXT_CHARS), z.describe('what to return')) }),
  output: z.strictObject({ text: z.string(), peer: z.string().check(z.describe('id of the peer that answered')) }),
  run: ({ ports }, { text }) => Promise.resolve({ text, peer: ports.self.peer }),
});
