import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { chain, name } from './grants.ts';

/** A signature, and an entry in the room's replica. */
const TIMEOUT_MS = 10_000;

/** Take a grant back. */
export const revokeGrant = defineTool({
  name: 'revoke_grant',
  category: 'access',
  title: 'Revoke a grant',
  description:
    'Signs and publishes in the room that a grant is void, with every grant that was derived from it. Devices that are away learn ' +
    'of it when they come back. For the owner of the relay.',
  access: 'admin',
  runtime: 'relay',
  local: true,
  idempotent: true,
  destructive: true,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({
    cid: name('CID of the grant, as list_grants names it'),
    reason: z.optional(name('why, for whoever looks at the record')),
    chain: z.optional(chain('the grant with those that it is derived from, when another device has issued it')),
  }),
  output: z.strictObject({
    issuer: z.string(),
    revoked_delegation_cid: z.string(),
    effective_at: z.number().check(z.describe('seconds since the epoch')),
    signature: z.string(),
  }),
  async run({ ports }, { cid, reason, chain: tokens }) {
    const port = await ports.access.grants();
    const record = await port.revoke(cid, { reason: reason ?? null, chain: tokens ?? null });
    const { issuer, revoked_delegation_cid, effective_at, signature } = record;
    return { issuer, revoked_delegation_cid, effective_at, signature };
  },
});
