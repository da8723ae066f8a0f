import { TabmeshError } from '../../lib/errors.ts';
import { STOP_WORDS } from './stopwords.ts';
import { tokenize } from './tokenize.ts';

/**
 * A pasted abstract has some hundred distinct words, and each costs a pass over its postings; the first 64 say what
 * it is about.
 */
const MAX_QUERY_TERMS = 64;

/**
 * The distinct terms to look for, in the order written. Stop words are dropped unless there is nothing else ("who",
 * "the which"), and so are single characters and numbers cut off a compound, since the compound itself is a term
 * ("IL-6" looks for "il6" and "il", not for every "6").
 * @param query what the person typed
 * @throws `invalid_input` when there is no word in it
 */
export function queryTerms(query: string): string[] {
  const tokens = tokenize(query);
  if (tokens.length === 0) {
    throw new TabmeshError('invalid_input', 'the search query has no word in it', {
      hint: 'Enter at least one word, name or number to search for.',
    });
  }
  const telling = tokens.filter(({ word, part }) => !STOP_WORDS.has(word) && !(part && /^(?:.|\p{N}+)$/u.test(word)));
  const chosen = telling.length > 0 ? telling : tokens;
  return [...new Set(chosen.map((token) => token.term))].slice(0, MAX_QUERY_TERMS);
}
