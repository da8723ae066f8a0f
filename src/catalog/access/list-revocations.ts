import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { name } from './grants.ts';

/** Read from the replica, which is in memory. */
const TIMEOUT_MS = 10_000;

/** The revocations that the room knows. */
export const listRevocations = defineTool({
  name: 'list_revocations',
  category: 'access',
  title: 'List revocations',
  description:
    'Lists the signed records by which devices of the room have made grants void, newest first: which grant, who, since when and ' +
    'why. Check a grant itself with verify_grant.',
  access: 'read',
  runtime: 'relay',
  local: true,
  idempotent: true,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({
    method: z.optional(name('only those that were published in this way, such as "ledger"; all when absent')),
  }),
  output: z.strictObject({
    revocations: z.array(
      z.strictObject({
        revoked_delegation_cid: z.string(),
        issuer: z.string(),
        effective_at: z.number().check(z.describe('seconds since the epoch')),
        reason: z.nullable(z.string()),
        method: z.nullable(z.string()),
        signature: z.string(),
      }),
    ),
  }),
  async run({ ports }, { method }) {
    const records = await (await ports.access.grants()).revocations(method ?? null);
    return {
      revocations: records.map(({ revoked_delegation_cid, issuer, effective_at, reason, discovery, signature }) => ({
        ...{ revoked_delegation_cid, issuer, effective_at, signature },
        reason: reason ?? null,
        method: discovery?.method ?? null,
      })),
    };
  },
});
