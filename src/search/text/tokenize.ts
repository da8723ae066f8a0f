import { fold } from './fold.ts';
import { stem } from './stem.ts';

/** One indexed term and where it stands: `[start, end)` in UTF-16 code units of the text. */
export interface Token {
  readonly term: string;
  /** the word in its compared form before stemming; what stop words are told by */
  readonly word: string;
  /** true for a piece of a hyphenated compound, which is there as a whole too */
  readonly part: boolean;
  readonly start: number;
  readonly end: number;
}

/** No word or gene name is longer; sequences and base64 are, and would only bloat the index. */
const LONGEST_WORD = 64;

/** Scripts written without spaces, where a word is a matter of opinion and pairs of characters are matched instead. */
const UNSPACED = String.raw`[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]`;
const POSSESSIVE = String.raw`['’]s(?![\p{L}\p{N}])`;
/** Letters, digits and marks, with apostrophes inside; the possessive "'s" is skipped. */
const WORD = new RegExp(
  String.raw`([\p{L}\p{N}][\p{L}\p{N}\p{M}]*(?:(?!${POSSESSIVE})['’](?!${UNSPACED})\p{L}+)*)(?:${POSSESSIVE})?`,
  'gu',
);
/** A stretch of a word in unspaced scripts, or in any others. */
const STRETCH = new RegExp(String.raw`(${UNSPACED}+)|(?!${UNSPACED})[\p{L}\p{N}](?:(?!${UNSPACED}).)*`, 'gsu');
const HAS_UNSPACED = new RegExp(UNSPACED, 'u');
const HYPHEN = /^[-\u2010\u2011]$/;
const DIGIT = /\p{N}/u;
const APOSTROPHES = /['’]/g;

interface Atom {
  readonly raw: string;
  readonly start: number;
  readonly end: number;
}

/**
 * The terms of a text, in order. A hyphenated compound gives its parts and itself joined, so that "IL-6" is found by
 * "IL6" and "il 6", and "beta-blocker" by "blocker". Decimal numbers stay whole; thousands separators vanish.
 * @param text plain text of any language
 */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const pushAtom = HAS_UNSPACED.test(text) ? pushStretches : push;
  for (const compound of compounds(text)) {
    const first = compound[0];
    const last = compound.at(-1);
    const part = compound.length > 1;
    for (const atom of compound) pushAtom(tokens, atom, part);
    if (part && first !== undefined && last !== undefined) {
      push(tokens, { raw: compound.map((atom) => atom.raw).join(''), start: first.start, end: last.end }, false);
    }
  }
  return tokens;
}

function* compounds(text: string): Generator<Atom[]> {
  let group: Atom[] = [];
  for (const match of text.matchAll(WORD)) {
    const raw = match[1] ?? '';
    const atom = { raw, start: match.index, end: match.index + raw.length };
    const previous = group.at(-1);
    const between = previous === undefined ? '' : text.slice(previous.end, atom.start);
    if (previous !== undefined && continuesNumber(previous, between, atom)) {
      const raw = previous.raw + (between === ',' ? '' : between) + atom.raw;
      group[group.length - 1] = { raw, start: previous.start, end: atom.end };
    } else if (previous !== undefined && HYPHEN.test(between)) {
      group.push(atom);
    } else {
      if (group.length > 0) yield group;
      group = [atom];
    }
  }
  if (group.length > 0) yield group;
}

function continuesNumber(left: Atom, between: string, right: Atom): boolean {
  if (between === '.') return /^\p{N}+$/u.test(left.raw) && DIGIT.test(right.raw[0] ?? '');
  return between === ',' && /\d$/.test(left.raw) && /^\d{3}$/.test(right.raw);
}

function pushStretches(tokens: Token[], atom: Atom, part: boolean): void {
  for (const { 0: raw, 1: unspaced, index } of atom.raw.matchAll(STRETCH)) {
    const start = atom.start + index;
    if (unspaced === undefined) push(tokens, { raw, start, end: start + raw.length }, part);
    else pushPairs(tokens, unspaced, start, part);
  }
}

function pushPairs(tokens: Token[], text: string, from: number, part: boolean): void {
  const characters = Array.from(text);
  let start = from;
  for (const [i, character] of characters.entries()) {
    const raw = character + (characters[i + 1] ?? '');
    // the last character is in the pair before it; alone it counts only when there is no pair
    if (raw !== character || i === 0) push(tokens, { raw, start, end: start + raw.length }, part);
    start += character.length;
  }
}

function push(tokens: Token[], { raw, start, end }: Atom, part: boolean): void {
  const { word, term } = formsOf(raw);
  if (word.length > 0 && word.length <= LONGEST_WORD) tokens.push({ term, word, part, start, end });
}

interface Forms {
  readonly word: string;
  readonly term: string;
}

/** Few words make up most of any text, and working out their forms takes two thirds of the time of indexing. */
const known = new Map<string, Forms>();

/** Some 3 MB; the vocabulary of 10,000 abstracts is about twice that, and its frequent half is soon there again. */
const MAX_KNOWN = 30_000;

function formsOf(raw: string): Forms {
  const found = known.get(raw);
  if (found !== undefined) return found;
  const word = fold(raw).replace(APOSTROPHES, '');
  const forms = { word, term: word.length > LONGEST_WORD ? word : stem(word) };
  if (raw.length > LONGEST_WORD) return forms;
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(raw, forms);
  return forms;
}
