import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { approvals, approvalsToWire } from './approvals.ts';

/** One write. */
const TIMEOUT_MS = 10_000;
const MAX_ID = 64;

/** Take an answer back. */
export const revokeApproval = defineTool({
  name: 'revoke_approval',
  category: 'access',
  title: 'Revoke an approval',
  description:
    'Takes back an answer that stands at this relay: the next call of that caller to that tool asks again. For the owner of the relay.',
  access: 'admin',
  runtime: 'relay',
  local: true,
  idempotent: true,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({ id: z.string().check(z.maxLength(MAX_ID), z.describe('as list_approvals names it')) }),
  output: approvals,
  async run({ ports }, { id }) {
    const port = await ports.access.approvals();
    await port.revoke(id);
    return approvalsToWire(port);
  },
});
