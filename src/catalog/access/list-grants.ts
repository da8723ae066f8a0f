import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { claims, claimsToWire } from './grants.ts';

/** Read from the disk. */
const TIMEOUT_MS = 10_000;

/** The grants that were issued here. */
export const listGrants = defineTool({
  name: 'list_grants',
  category: 'access',
  title: 'List grants',
  description:
    'Lists the grants that this relay has issued, newest first: for whom, for which tools, until when, whether they hold, and how ' +
    'many calls they have allowed here. For the owner of the relay.',
  access: 'admin',
  runtime: 'relay',
  local: true,
  idempotent: true,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({}),
  output: z.strictObject({
    grants: z.array(
      z.strictObject({ cid: z.string(), state: z.enum(['valid', 'expired', 'revoked']), used: z.int(), claims }),
    ),
  }),
  async run({ ports }) {
    const listed = await (await ports.access.grants()).list();
    return {
      grants: listed.map(({ cid, state, used, claims: what }) => ({ cid, state, used, claims: claimsToWire(what) })),
    };
  },
});
