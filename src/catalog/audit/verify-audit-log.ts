import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';

/** Hashes every entry that is kept: a quarter of a million of them take some seconds. */
const TIMEOUT_MS = 120_000;

/** Whether the audit log is whole. */
export const verifyAuditLog = defineTool({
  name: 'verify_audit_log',
  category: 'audit',
  title: 'Verify the audit log',
  description:
    'Checks that no entry of the audit log of the peer that is asked was changed, moved or taken out. Note `head` somewhere else to ' +
    'be able to tell later that nothing was cut off at the end either. For the person at a device, and the owner of a relay.',
  access: 'admin',
  runtime: 'auto',
  local: true,
  idempotent: true,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({}),
  output: z.strictObject({
    ok: z.boolean(),
    entries: z.int(),
    first: z.nullable(z.int()),
    last: z.nullable(z.int()),
    head: z.nullable(z.string()).check(z.describe('hash of the last entry')),
    broken: z.nullable(z.strictObject({ file: z.string(), line: z.int(), reason: z.string() })),
  }),
  run: ({ ports, signal }) => ports.audit.verify(signal),
});
