/**
 * Rows of one scrolled list at most: browsers cannot lay out elements higher than some 16 million px, and a scroll bar
 * over more rows than this cannot be aimed.
 */
export const PART_SIZE = 50_000;

/** A stretch of a dataset that is scrolled through at once. */
export interface RecordPart {
  readonly offset: number;
  readonly count: number;
}

/** Cuts a dataset of `count` records into parts; a small one is one part. */
export function recordParts(count: number): readonly RecordPart[] {
  const parts = Math.max(1, Math.ceil(count / PART_SIZE));
  return Array.from({ length: parts }, (_, part) => ({
    offset: part * PART_SIZE,
    count: Math.min(PART_SIZE, count - part * PART_SIZE),
  }));
}
