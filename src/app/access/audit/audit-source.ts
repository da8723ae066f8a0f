import type { AuditEntry, AuditPort, AuditQuery, AuditVerdict } from '../../../contracts/audit.ts';

/** A page of an audit log, newest first. */
export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  /** `before` of the next page; null at the end */
  readonly next: number | null;
}

/** Whose audit log is shown: this device's, or the relay's over its REST interface. */
export interface AuditSource {
  audit(query: AuditQuery, signal: AbortSignal): Promise<AuditPage>;
  verifyAudit(signal: AbortSignal): Promise<AuditVerdict>;
}

/** The log of this device itself. */
export function deviceSource(log: AuditPort): AuditSource {
  return {
    async audit(query, signal) {
      const { entries, more } = await log.read(query, signal);
      return { entries, next: more ? (entries.at(-1)?.seq ?? null) : null };
    },
    verifyAudit: (signal) => log.verify(signal),
  };
}
