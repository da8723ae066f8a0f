/** Counting goes on for so long: with more, a call is large, whatever the number; and looking on must not slow calls down. */
const MAX_COUNTED = 256 * 1024;
/** What nests deeper than this is refused by every tool. */
const MAX_DEPTH = 64;

/**
 * About how many characters a value has as JSON: escapes are not counted.
 * @returns null for more than 256 Ki
 */
export function jsonSize(value: unknown): number | null {
  const left = count(value, MAX_COUNTED, 0);
  return left < 0 ? null : MAX_COUNTED - left;
}

/** @returns how many of `left` characters are left after the value; below zero when it has more */
function count(value: unknown, left: number, depth: number): number {
  if (typeof value === 'string') return left - value.length - 2;
  if (typeof value !== 'object' || value === null) return left - String(value).length;
  if (depth === MAX_DEPTH) return -1;
  let rest = left - 2;
  let comma = 0;
  const add = (named: number, member: unknown): boolean => {
    rest = count(member, rest - named - comma, depth + 1);
    comma = 1;
    return rest >= 0;
  };
  if (Array.isArray(value)) {
    for (const member of value) if (!add(0, member)) break;
    return rest;
  }
  // not `Object.entries`, which would make all pairs before the first is counted
  for (const key in value) {
    if (!add(key.length + 3, (value as Record<string, unknown>)[key])) break;
  }
  return rest;
}
