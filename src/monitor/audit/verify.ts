import type { AuditEntry, AuditStore, AuditVerdict } from '../../contracts/audit.ts';
import { CHAIN_START, readLine, type Link } from './chain.ts';
import type { AuditHashes } from './hashes.ts';
import { readPruned } from './pruned.ts';

/**
 * Checks the whole log: every entry's hash, that each links to the one before, and that nothing is missing in front but
 * what a later note says was deleted. What was cut off at the end shows only against a `head` that was noted elsewhere.
 * @throws the signal's reason, the store's error
 */
export async function verifyAudit(
  store: Pick<AuditStore, 'segments' | 'lines'>,
  hash: AuditHashes['hash'],
  signal: AbortSignal,
): Promise<AuditVerdict> {
  let entries = 0;
  let first: AuditEntry | null = null;
  let link: Link = CHAIN_START;
  const starts: Link[] = [CHAIN_START];
  const verdict = (broken: AuditVerdict['broken']): AuditVerdict => ({
    ok: broken === null,
    entries,
    first: first?.seq ?? null,
    last: entries === 0 ? null : link.seq,
    head: entries === 0 ? null : link.hash,
    broken,
  });

  let firstSegment = '';
  for (const { number, name } of await store.segments()) {
    signal.throwIfAborted();
    for (const [index, line] of (await store.lines(number)).entries()) {
      const at = (reason: string) => verdict({ file: name, line: index + 1, reason });
      let entry: AuditEntry;
      try {
        entry = readLine(line, hash);
      } catch (error) {
        return at(error instanceof Error ? error.message : String(error));
      }
      if (first === null) {
        first = entry;
        firstSegment = name;
      } else if (entry.seq !== link.seq + 1) {
        return at(`has number ${entry.seq} after ${link.seq}`);
      } else if (entry.prev !== link.hash) {
        return at('does not link to the one before');
      }
      link = entry;
      entries++;
      const removed = entry.event === 'audit.note' ? readPruned(entry.what) : null;
      if (removed !== null) starts.push(removed);
    }
  }
  // more than the last note leaves may be there, when a crash came between the note and the deletion; never less
  const { seq = 0, prev = CHAIN_START.hash } = first ?? {};
  if (!starts.some((start) => start.seq + 1 === seq && start.hash === prev)) {
    return verdict({ file: firstSegment, line: 1, reason: 'entries before it are missing' });
  }
  return verdict(null);
}
