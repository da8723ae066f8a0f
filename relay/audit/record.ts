import type { AuditEvent } from '../../src/contracts/access.ts';

/** What is to be written down; the arguments are turned into their keyed hash on the way. */
export type AuditRecord = Omit<AuditEvent, 'argsHmac' | 'args'> & { readonly args?: unknown };

/** Takes records. Never waits and never throws: a call is not slowed down by what is written about it. */
export interface AuditSink {
  record(event: AuditRecord): void;
}
