import { tokenize, type Token } from './text/tokenize.ts';

/** `[start, end)` in UTF-16 code units. */
export type Mark = readonly [number, number];

/** What the contract allows for a hit's snippet, in UTF-16 code units, ellipses included. */
const MAX_SNIPPET = 300;
const ELLIPSIS = '…';
/** The part of the abstract, with room left for an ellipsis and a space at either end. */
const WINDOW = MAX_SNIPPET - 4;

export interface Snippet {
  readonly text: string;
  readonly marks: readonly Mark[];
}

/**
 * Where the terms stand in a text, whole words, in whichever form they have there ("memory" for the term of
 * "memories").
 * @param terms as `queryTerms` gives them
 * @returns ascending, not overlapping
 */
export function marksOf(text: string, terms: ReadonlySet<string>): Mark[] {
  const marks: [number, number][] = [];
  for (const { start, end } of matches(text, terms)) {
    const last = marks.at(-1);
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end);
    else marks.push([start, end]);
  }
  return marks;
}

/**
 * The piece of a text that shows best why it was found: the one with the most different terms, then the most matches,
 * then the earliest; from the beginning when none matches. Cut at spaces, and at the start of a sentence where one is
 * near.
 * @param text plain text, single spaces
 * @param terms as `queryTerms` gives them
 */
export function snippetOf(text: string, terms: ReadonlySet<string>): Snippet {
  const piece = cut(text, bestMatches(matches(text, terms)));
  return { text: piece, marks: marksOf(piece, terms) };
}

/** Sorted by start: the whole of a compound comes after its parts in the tokens. */
function matches(text: string, terms: ReadonlySet<string>): Token[] {
  if (terms.size === 0) return [];
  return tokenize(text)
    .filter(({ term }) => terms.has(term))
    .sort((a, b) => a.start - b.start || b.end - a.end);
}

interface Span {
  readonly start: number;
  readonly end: number;
}

function bestMatches(found: readonly Token[]): Span {
  let best: Span = { start: 0, end: 0 };
  let bestDistinct = 0;
  let bestCount = 0;
  const inWindow = new Map<string, number>();
  let first = 0;
  for (const [i, token] of found.entries()) {
    inWindow.set(token.term, (inWindow.get(token.term) ?? 0) + 1);
    let head = found[first];
    while (head !== undefined && first < i && token.end - head.start > WINDOW) {
      forget(inWindow, head.term);
      first += 1;
      head = found[first];
    }
    const count = i - first + 1;
    if (head === undefined || inWindow.size < bestDistinct) continue;
    if (inWindow.size === bestDistinct && count <= bestCount) continue;
    best = { start: head.start, end: token.end };
    bestDistinct = inWindow.size;
    bestCount = count;
  }
  return best;
}

function forget(counts: Map<string, number>, term: string): void {
  const count = (counts.get(term) ?? 0) - 1;
  if (count <= 0) counts.delete(term);
  else counts.set(term, count);
}

function cut(text: string, around: Span): string {
  if (text.length <= MAX_SNIPPET) return text;
  const spare = Math.max(0, WINDOW - (around.end - around.start));
  // half of the room before the matches; more when the text ends soon after them
  const wanted = Math.min(Math.max(0, around.start - Math.floor(spare / 2)), text.length - WINDOW);
  const start = startBorder(text, wanted, around.start);
  const end = endBorder(text, Math.min(text.length, start + WINDOW), Math.max(start, around.end));
  const before = start > 0 ? `${ELLIPSIS} ` : '';
  const after = end < text.length ? ` ${ELLIPSIS}` : '';
  return before + text.slice(start, end).trim() + after;
}

/** The first sentence start in `[from, to]`, else the first word start, else `from` itself. */
function startBorder(text: string, from: number, to: number): number {
  if (from === 0) return 0;
  const room = text.slice(from - 1, to);
  const sentence = /[.?!]\s+(?=\S|$)/.exec(room);
  const space = sentence ?? /\s+(?=\S|$)/.exec(room);
  if (space !== null) return from - 1 + space.index + space[0].length;
  return splitsPair(text, from) ? from + 1 : from;
}

/** The last word end in `[least, to]`, else `to` itself. */
function endBorder(text: string, to: number, least: number): number {
  if (to === text.length) return to;
  for (let end = to; end >= least; end -= 1) {
    if (/\s/.test(text.charAt(end))) return end;
  }
  return splitsPair(text, to) ? to - 1 : to;
}

function splitsPair(text: string, at: number): boolean {
  return /[\udc00-\udfff]/.test(text.charAt(at)) && /[\ud800-\udbff]/.test(text.charAt(at - 1));
}
