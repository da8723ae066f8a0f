import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { approvals, approvalsToWire } from './approvals.ts';

/** One write. */
const TIMEOUT_MS = 10_000;
const MAX_HANDLE = 200;

/** Answer a call that waits for approval. */
export const decideApproval = defineTool({
  name: 'decide_approval',
  category: 'access',
  title: 'Decide an approval',
  description:
    'Answers a call that waits for approval at this relay: once lets that call run one time, always lets its caller use the tool ' +
    'from now on, no refuses it and keeps the caller from asking for the tool again for a while. For the owner of the relay.',
  access: 'admin',
  runtime: 'relay',
  local: true,
  idempotent: false,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({
    handle: z.string().check(z.maxLength(MAX_HANDLE), z.describe('as list_approvals names it')),
    answer: z.enum(['once', 'always', 'no']).check(z.describe('what to tell the caller')),
  }),
  output: approvals,
  async run({ ports }, { handle, answer }) {
    const port = await ports.access.approvals();
    await port.decide(handle, answer);
    return approvalsToWire(port);
  },
});
