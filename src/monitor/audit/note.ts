import type { AuditEvent } from '../../contracts/audit.ts';

/** The log itself, in entries that nobody asked for. */
const LOG = { kind: 'nobody', id: 'log', name: 'this log' } as const;

/** What happened to the log itself, as an entry of it. */
export function note(text: string): AuditEvent {
  return {
    event: 'audit.note',
    who: LOG,
    what: text,
    where: null,
    tookMs: null,
    outcome: 'ok',
    argsHmac: null,
    trace: null,
  };
}
