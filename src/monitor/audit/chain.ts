import type { AuditEntry, AuditEvent } from '../../contracts/audit.ts';
import type { AuditHashes } from './hashes.ts';

/** What the first entry there ever was links back to. */
const FIRST_PREV = '0'.repeat(64);

/** Where a chain stands: what the next entry links back to. */
export interface Link {
  /** number of the last entry; −1 before the first */
  readonly seq: number;
  readonly hash: string;
}

export const CHAIN_START: Link = { seq: -1, hash: FIRST_PREV };

/** Makes an event the next entry of a chain. @param at ms since the epoch */
export function linkEntry(
  { seq, hash: prev }: Link,
  event: AuditEvent,
  at: number,
  hash: AuditHashes['hash'],
): AuditEntry {
  const body = { v: 1 as const, seq: seq + 1, at: new Date(at).toISOString(), ...event, prev };
  return { ...body, hash: hash(JSON.stringify(body)) };
}

/** The line of a segment, with its end. */
export const lineOf = (entry: AuditEntry): string => `${JSON.stringify(entry)}\n`;

/**
 * Reads a line and checks what can be told of it alone.
 * @param line without its end
 * @throws Error that says what is wrong
 */
export function readLine(line: string, hashOf: AuditHashes['hash']): AuditEntry {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Error('is no JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('is no entry');
  const { hash, ...body } = value as Partial<AuditEntry>;
  if (body.v !== 1) throw new Error('has another format');
  if (typeof body.seq !== 'number' || typeof body.prev !== 'string' || hash === undefined) {
    throw new Error('is no entry');
  }
  // the fields in the order in which they stand: the hash is of the line as it was written
  if (hashOf(JSON.stringify(body)) !== hash) throw new Error('was changed: its hash does not fit');
  return value as AuditEntry;
}
