import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { chain, claims, claimsToWire, name } from './grants.ts';

/** Eight signatures. */
const TIMEOUT_MS = 10_000;

/** Check what a grant is worth. */
export const verifyGrant = defineTool({
  name: 'verify_grant',
  category: 'access',
  title: 'Verify a grant',
  description:
    'Checks whether a grant would let somebody call a tool at this relay now: form, signatures, revocations, attenuation, bounds. ' +
    'Uses nothing up. The verdict is ok or a denial code of MCP++, with the token of the chain that fails.',
  access: 'read',
  runtime: 'relay',
  local: true,
  idempotent: true,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({
    chain: chain('the tokens, root first'),
    tool: name('the tool that would be called'),
    audience: name('did or urn of who would call it'),
    args: z.optional(z.record(z.string(), z.unknown()).check(z.describe('arguments of the call'))),
  }),
  output: z.strictObject({
    verdict: z.string(),
    hop: z.nullable(z.int()).check(z.describe('index of the token that fails, root first')),
    chain: z.array(z.strictObject({ cid: z.string(), claims })),
  }),
  async run({ ports }, { chain: tokens, tool, audience, args }) {
    const port = await ports.access.grants();
    const { verdict, hop, chain: read } = await port.verify(tokens, { tool, audience, args: args ?? {} });
    return { verdict, hop, chain: read.map(({ cid, claims: what }) => ({ cid, claims: claimsToWire(what) })) };
  },
});
