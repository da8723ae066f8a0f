/** Latin letters that Unicode does not decompose into a base letter and a mark. */
const LATIN: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ı: 'i',
};

/** English names of the Greek letters: "TNF-α", "TNFα" and "TNF-alpha" are one thing. */
const GREEK: Readonly<Record<string, string>> = {
  α: 'alpha',
  β: 'beta',
  γ: 'gamma',
  δ: 'delta',
  ε: 'epsilon',
  ζ: 'zeta',
  η: 'eta',
  θ: 'theta',
  ι: 'iota',
  κ: 'kappa',
  λ: 'lambda',
  μ: 'mu',
  ν: 'nu',
  ξ: 'xi',
  ο: 'omicron',
  π: 'pi',
  ρ: 'rho',
  σ: 'sigma',
  ς: 'sigma',
  τ: 'tau',
  υ: 'upsilon',
  φ: 'phi',
  χ: 'chi',
  ψ: 'psi',
  ω: 'omega',
};

const ASCII = /^[\p{ASCII}]*$/u;
/** Marks of Latin, Greek and Cyrillic letters only: in other scripts a mark is a letter of its own right. */
const DIACRITICS = /[\u0300-\u036f]/g;
const EXTRA_LATIN = /[ßæœøłđðþı]/g;
const GREEK_LETTER = /[α-ω]/g;
/** Two Greek letters in a row are a Greek word, not a symbol. */
const GREEK_WORD = /[α-ω]{2}/;

/**
 * The form of a word that is compared: lower case, compatibility forms resolved ("CO₂" is "co2"), diacritics of Latin
 * letters dropped, Greek symbols spelled out.
 * @param word one word as written
 */
export function fold(word: string): string {
  if (ASCII.test(word)) return word.toLowerCase();
  const plain = word
    .normalize('NFKD')
    .toLowerCase()
    .replace(DIACRITICS, '')
    .replace(EXTRA_LATIN, (letter) => LATIN[letter] ?? letter);
  return (GREEK_WORD.test(plain) ? plain : plain.replace(GREEK_LETTER, (l) => GREEK[l] ?? l)).normalize('NFC');
}
