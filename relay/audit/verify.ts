import type { AuditEntry, AuditVerdict } from '../../src/contracts/access.ts';
import { CHAIN_START, readLine, type Link } from './chain.ts';
import { listFiles, readLines } from './files.ts';

/** Of the note that says what was deleted. */
const PRUNED = /^deleted the entries up to (\d+), whose hash is ([0-9a-f]{64})$/;

/** What is noted when old entries are deleted: with it, what is left still shows that nothing else is missing. */
export const prunedText = ({ seq, hash }: Link): string => `deleted the entries up to ${seq}, whose hash is ${hash}`;

/**
 * Checks the whole log: every entry's hash, that each links to the one before, and that nothing is missing in front but
 * what a later note says was deleted. What was cut off at the end shows only against a `head` that was noted elsewhere.
 * @throws the signal's reason, the file system's error
 */
export async function verifyAudit(folder: string, signal: AbortSignal): Promise<AuditVerdict> {
  let entries = 0;
  let first: AuditEntry | null = null;
  let link: Link = CHAIN_START;
  let pruned: Link | null = null;
  const verdict = (broken: AuditVerdict['broken']): AuditVerdict => ({
    ok: broken === null,
    entries,
    first: first?.seq ?? null,
    last: entries === 0 ? null : link.seq,
    head: entries === 0 ? null : link.hash,
    broken,
  });

  let firstFile = '';
  for (const { name } of await listFiles(folder)) {
    signal.throwIfAborted();
    const { lines } = await readLines(folder, name);
    for (const [index, line] of lines.entries()) {
      const at = (reason: string) => verdict({ file: name, line: index + 1, reason });
      let entry: AuditEntry;
      try {
        entry = readLine(line);
      } catch (error) {
        return at(error instanceof Error ? error.message : String(error));
      }
      if (first === null) {
        first = entry;
        firstFile = name;
      } else if (entry.seq !== link.seq + 1) {
        return at(`has number ${entry.seq} after ${link.seq}`);
      } else if (entry.prev !== link.hash) {
        return at('does not link to the one before');
      }
      link = entry;
      entries++;
      if (entry.event === 'audit.note') pruned = readPruned(entry.what) ?? pruned;
    }
  }
  const expected = pruned ?? CHAIN_START;
  if (first !== null && (first.seq !== expected.seq + 1 || first.prev !== expected.hash)) {
    return verdict({ file: firstFile, line: 1, reason: 'entries before it are missing' });
  }
  return verdict(null);
}

function readPruned(text: string): Link | null {
  const [, seq, hash] = PRUNED.exec(text) ?? [];
  return seq === undefined || hash === undefined ? null : { seq: Number(seq), hash };
}
