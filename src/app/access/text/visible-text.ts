import { HIDDEN_CHARACTER } from '../../../lib/hidden-text.ts';

/** A piece of a text of somebody else: as it is, or the name of a character that would not be seen. */
export interface TextPiece {
  readonly text: string;
  readonly hidden: boolean;
}

/** A lone surrogate has no form of its own either. */
const HIDDEN = new RegExp(`${HIDDEN_CHARACTER}|\\p{Surrogate}`, 'gu');

/**
 * Takes a text apart so that nothing in it stays unseen: control, zero-width, direction and tag characters become their code
 * points, e.g. `U+200B`.
 */
export function visiblePieces(text: string): readonly TextPiece[] {
  const pieces: TextPiece[] = [];
  let from = 0;
  for (const { 0: character, index } of text.matchAll(HIDDEN)) {
    if (index > from) pieces.push({ text: text.slice(from, index), hidden: false });
    pieces.push({ text: codePointName(character), hidden: true });
    from = index + character.length;
  }
  if (from < text.length || pieces.length === 0) pieces.push({ text: text.slice(from), hidden: false });
  return pieces;
}

/** The same as one text, for places that take no markup. */
export function visibleText(text: string): string {
  return visiblePieces(text)
    .map((piece) => (piece.hidden ? `⟨${piece.text}⟩` : piece.text))
    .join('');
}

function codePointName(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16).toUpperCase();
  return `U+${hex.padStart(4, '0')}`;
}
