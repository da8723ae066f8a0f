/**
 * Orders strings by UTF-16 code units: the same on every machine, unlike a locale's order, on which addresses must not
 * depend.
 */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
