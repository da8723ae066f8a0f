import { isPlainMap } from '../../lib/strict-map.ts';

/** A call names one dataset or a few; a list of thousands is not a reason to go anywhere. */
const MAX_CIDS = 8;
/** CIDv1 in base32: 59 characters for a SHA-256 */
const SHORTEST = 50;
const LONGEST = 120;

/** The CIDs that a call's arguments name: texts, and lists of texts, at their top level. */
export function namedCids(args: unknown): string[] {
  if (!isPlainMap(args)) return [];
  const found: string[] = [];
  for (const key in args) {
    const value = args[key];
    const texts: readonly unknown[] = Array.isArray(value) ? value.slice(0, MAX_CIDS) : [value];
    for (const text of texts) if (found.length < MAX_CIDS && isCid(text)) found.push(text);
  }
  return found;
}

function isCid(value: unknown): value is string {
  return typeof value === 'string' && value.length >= SHORTEST && value.length <= LONGEST && value.startsWith('b');
}
