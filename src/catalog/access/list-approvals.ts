import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { approvals, approvalsToWire } from './approvals.ts';

/** Read from the disk at most once. */
const TIMEOUT_MS = 5_000;

/** Calls that wait for an answer, and answers that stand. */
export const listApprovals = defineTool({
  name: 'list_approvals',
  category: 'access',
  title: 'List approvals',
  description:
    'Lists the calls from elsewhere that wait for approval at this relay, the answers that stand, and what callers may do here ' +
    'without asking. For the owner of the relay; answer with decide_approval.',
  access: 'admin',
  runtime: 'relay',
  local: true,
  idempotent: true,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({}),
  output: approvals,
  run: async ({ ports }) => approvalsToWire(await ports.access.approvals()),
});
