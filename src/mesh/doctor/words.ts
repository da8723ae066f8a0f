/** Below this a duration reads better in seconds and milliseconds than in minutes. */
const MINUTE_S = 60;
const HOUR_S = 60 * MINUTE_S;
const MEGABYTE = 1_000_000;
const GIGABYTE = 1_000 * MEGABYTE;

/** A duration in words. @param ms of either sign */
export function spell(ms: number): string {
  const size = Math.abs(ms);
  if (size < 1000) return `${String(Math.round(size))} ms`;
  const seconds = Math.round(size / 1000);
  if (seconds < 2 * MINUTE_S) return `${String(seconds)} s`;
  if (seconds < 2 * HOUR_S) return `${String(Math.round(seconds / MINUTE_S))} min`;
  return `${String(Math.round(seconds / HOUR_S))} h`;
}

/** A size in words. @param bytes */
export function spellBytes(bytes: number): string {
  if (bytes >= GIGABYTE) return `${(bytes / GIGABYTE).toFixed(1)} GB`;
  if (bytes >= MEGABYTE) return `${String(Math.round(bytes / MEGABYTE))} MB`;
  return `${String(Math.round(bytes / 1000))} KB`;
}

/** `one peer`, `3 peers`. */
export const countOf = (count: number, one: string, many = `${one}s`): string =>
  count === 1 ? `one ${one}` : `${String(count)} ${many}`;

/** `a`, `a and b`, `a, b and 3 more`. */
export function listed(names: readonly string[], most = 3): string {
  const shown = names.slice(0, most);
  const rest = names.length - shown.length;
  if (rest > 0) return `${shown.join(', ')} and ${String(rest)} more`;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1) ?? ''}`;
}

/** A sentence's first letter in upper case. */
export const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
