/**
 * What a person does not see and a model reads, by first and last code point: control characters but line breaks and tabs,
 * what is drawn as nothing, zero width, direction, variation selectors, and the tag block, which can spell a hidden text.
 */
const HIDDEN_RANGES: readonly (readonly [number, number])[] = [
  [0x00, 0x08],
  [0x0b, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x61c, 0x61c],
  [0x115f, 0x1160],
  [0x17b4, 0x17b5],
  [0x180b, 0x180f],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0x3164, 0x3164],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff0, 0xfffb],
  [0xe0000, 0xe0fff],
];

const hex = (codePoint: number): string => `\\u{${codePoint.toString(16)}}`;

/** Source of a character class for patterns with the flag `u`: one character that hides. */
export const HIDDEN_CHARACTER = `[${HIDDEN_RANGES.map(([from, to]) => `${hex(from)}-${hex(to)}`).join('')}]`;
