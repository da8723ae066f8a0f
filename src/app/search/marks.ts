/** Offsets of matches, as `SearchHit` carries them: `[start, end)` in UTF-16 code units. */
export type Marks = readonly (readonly [number, number])[];

export interface Segment {
  readonly text: string;
  readonly marked: boolean;
}

/**
 * Cuts a text at its marks, so that it is rendered as text nodes and `<mark>` and never as HTML. Marks come from other
 * peers: those out of range, reversed, overlapping an earlier one or not whole numbers are clipped or dropped.
 * @returns segments whose texts joined are `text`; none is empty
 */
export function segments(text: string, marks: Marks): readonly Segment[] {
  const out: Segment[] = [];
  let at = 0;
  for (const [from, to] of marks) {
    if (!Number.isInteger(from) || !Number.isInteger(to)) continue;
    const start = Math.max(from, at);
    const end = Math.min(to, text.length);
    if (start >= end) continue;
    if (start > at) out.push({ text: text.slice(at, start), marked: false });
    out.push({ text: text.slice(start, end), marked: true });
    at = end;
  }
  if (at < text.length) out.push({ text: text.slice(at), marked: false });
  return out;
}
