import type { Link } from './chain.ts';

/** Of the note that says what was deleted. */
const PRUNED = /^deleted the entries up to (\d+), whose hash is ([0-9a-f]{64})$/;

/** What is noted when old entries are deleted: with it, what is left still shows that nothing else is missing. */
export const prunedText = ({ seq, hash }: Link): string => `deleted the entries up to ${seq}, whose hash is ${hash}`;

/** Reads what {@link prunedText} wrote; null for any other note. */
export function readPruned(text: string): Link | null {
  const [, seq, hash] = PRUNED.exec(text) ?? [];
  return seq === undefined || hash === undefined ? null : { seq: Number(seq), hash };
}
