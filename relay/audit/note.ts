import type { AuditEvent } from '../../src/contracts/access.ts';

/** The relay itself, in entries that nobody asked for. */
const RELAY = { kind: 'nobody', id: 'relay', name: 'relay' } as const;

/** What happened to the log itself, as an entry of it. */
export function note(text: string): AuditEvent {
  return {
    event: 'audit.note',
    who: RELAY,
    what: text,
    where: null,
    tookMs: null,
    outcome: 'ok',
    argsHmac: null,
    trace: null,
  };
}
