import type { AuditEntry, AuditQuery, AuditStore } from '../../contracts/audit.ts';
import { MAX_AUDIT_ENTRIES } from './limits.ts';

/**
 * Reads entries that fit, newest first. Lines that are no entries are left out: `verifyAudit` reports them.
 * @throws the signal's reason, the store's error
 */
export async function readAudit(
  store: Pick<AuditStore, 'segments' | 'lines'>,
  query: AuditQuery,
  signal: AbortSignal,
): Promise<{ readonly entries: readonly AuditEntry[]; readonly more: boolean }> {
  const limit = Math.min(query.limit, MAX_AUDIT_ENTRIES);
  const entries: AuditEntry[] = [];
  for (const { number } of (await store.segments()).toReversed()) {
    signal.throwIfAborted();
    for (const line of (await store.lines(number)).toReversed()) {
      const entry = parse(line);
      if (entry === null || !fits(entry, query)) continue;
      if (entries.length === limit) return { entries, more: true };
      entries.push(entry);
    }
  }
  return { entries, more: false };
}

function fits({ seq, who, what, outcome, trace }: AuditEntry, query: AuditQuery): boolean {
  return (
    (query.before === undefined || seq < query.before) &&
    (query.who === undefined || who.id === query.who || who.name === query.who) &&
    (query.tool === undefined || what === query.tool) &&
    (query.outcome === undefined || outcome === query.outcome) &&
    (query.trace === undefined || trace === query.trace)
  );
}

function parse(line: string): AuditEntry | null {
  try {
    const value = JSON.parse(line) as Partial<AuditEntry> | null;
    return typeof value?.seq === 'number' && typeof value.who === 'object' ? (value as AuditEntry) : null;
  } catch {
    return null;
  }
}
