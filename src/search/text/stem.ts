/**
 * A light English stemmer: words that differ only by inflection or a common derivation get one form ("memories" and
 * "memory", "activated" and "activation"). Written for indexing, so a stem need not be a word. The suffix classes
 * follow M. F. Porter, "An algorithm for suffix stripping", 1980, with fewer and longer suffixes and the plurals of
 * Latin and Greek medical words ("diagnoses", "bacterium") added.
 */

/** Shorter words are left alone: too little is left of them to tell them apart ("gas", "dies", "ring"). */
const SHORTEST = 4;

const PLAIN = /^[a-z]+$/;
const VOWEL = /[aeiouy]/;

/** Derivations: the first suffix that fits and leaves at least `keep` letters is replaced. Longest first. */
const DERIVATIONS: readonly { readonly suffix: string; readonly by: string; readonly keep: number }[] = [
  { suffix: 'ization', by: 'iz', keep: 3 },
  { suffix: 'isation', by: 'iz', keep: 3 },
  { suffix: 'ational', by: 'at', keep: 3 },
  { suffix: 'iveness', by: 'iv', keep: 3 },
  { suffix: 'fulness', by: 'ful', keep: 3 },
  { suffix: 'ousness', by: 'ous', keep: 3 },
  { suffix: 'ability', by: 'abl', keep: 3 },
  { suffix: 'ibility', by: 'ibl', keep: 3 },
  { suffix: 'ation', by: 'at', keep: 3 },
  { suffix: 'ative', by: 'at', keep: 4 },
  { suffix: 'ivity', by: 'iv', keep: 3 },
  { suffix: 'ality', by: 'al', keep: 3 },
  { suffix: 'icity', by: 'ic', keep: 3 },
  { suffix: 'ator', by: 'at', keep: 4 },
  { suffix: 'ical', by: 'ic', keep: 3 },
  { suffix: 'ness', by: '', keep: 4 },
  { suffix: 'ial', by: 'i', keep: 4 },
  { suffix: 'ium', by: 'i', keep: 4 },
  { suffix: 'ise', by: 'iz', keep: 4 },
  { suffix: 'ia', by: 'i', keep: 4 },
  // what "-ised" and "-ising" leave
  { suffix: 'is', by: 'iz', keep: 5 },
];

/**
 * @param word one word, already lower case and without diacritics
 * @returns its stem; words with anything but the letters a to z in them (gene names, numbers, other scripts) unchanged
 */
export function stem(word: string): string {
  if (word.length < SHORTEST || !PLAIN.test(word)) return word;
  return dropFinal(derive(inflect(singular(word))));
}

function singular(word: string): string {
  if (word.endsWith('ies')) return word.length > 4 ? `${word.slice(0, -3)}y` : word.slice(0, -1);
  if (/(?:ss|x|ch|sh)es$/.test(word)) return word.slice(0, -2);
  if (/[^aeious]sis$/.test(word) || /..[aeioy]sis$/.test(word)) return word.slice(0, -2);
  return /[^suia]s$/.test(word) || /[a-z]{2}as$/.test(word) ? word.slice(0, -1) : word;
}

function inflect(word: string): string {
  for (const suffix of ['ing', 'ed'] as const) {
    if (!word.endsWith(suffix)) continue;
    const rest = word.slice(0, -suffix.length);
    return rest.length >= 3 && VOWEL.test(rest) && !rest.endsWith('e') ? undouble(rest) : word;
  }
  return word.endsWith('ly') && word.length > 5 ? word.slice(0, -2) : word;
}

/** "controll" → "control", but "cell", "pass", "buzz" keep both letters. */
function undouble(rest: string): string {
  const last = rest.at(-1);
  const doubled = last === rest.at(-2) && last !== undefined && !/[aeiousz]/.test(last);
  return doubled && rest.length > 3 && !(last === 'l' && rest.length < 6) ? rest.slice(0, -1) : rest;
}

function derive(word: string): string {
  for (const { suffix, by, keep } of DERIVATIONS) {
    if (word.endsWith(suffix) && word.length - suffix.length >= keep) return word.slice(0, -suffix.length) + by;
  }
  return word;
}

/** A final "e" is lost before "ing" and "ed", and "y" is "i" in the plural: both forms must meet. */
function dropFinal(word: string): string {
  if (word.length <= 3) return word;
  if (word.endsWith('e')) return word.slice(0, -1);
  return /[^aeiou]y$/.test(word) ? `${word.slice(0, -1)}i` : word;
}
