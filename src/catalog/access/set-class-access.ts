import { defineTool } from '../../tools/define-tool.ts';
import { approvals, approvalsToWire, classes } from './approvals.ts';

/** One write. */
const TIMEOUT_MS = 10_000;

/** Say what callers may do here without asking. */
export const setClassAccess = defineTool({
  name: 'set_class_access',
  category: 'access',
  title: 'Set access of callers',
  description:
    'Says what members of the room and tokens of relays may do at this relay without asking: read, compute, write. Without write ' +
    'each call that changes something waits for approval. For the owner of the relay.',
  access: 'admin',
  runtime: 'relay',
  local: true,
  idempotent: true,
  timeoutMs: TIMEOUT_MS,
  input: classes,
  output: approvals,
  async run({ ports }, access) {
    const port = await ports.access.approvals();
    await port.setClassAccess(access);
    return approvalsToWire(port);
  },
});
