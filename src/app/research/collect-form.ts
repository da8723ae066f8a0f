import { formatCount } from '../ui/format.ts';

/** Longest query that is sent: an address of a service has to hold it. */
const MAX_QUERY_CHARACTERS = 2_000;

export type CollectForm =
  | { readonly ok: true; readonly inputs: { readonly query: string; readonly max_results: number } }
  | { readonly ok: false; readonly errors: { readonly query: string | null; readonly amount: string | null } };

/**
 * Reads the form that starts a collection.
 * @param limit the most records that may be asked for
 */
export function readCollectForm(query: string, amount: string, limit: number): CollectForm {
  const words = query.trim();
  const digits = amount.trim().replace(/[\s,]/g, '');
  const number = /^\d+$/.test(digits) ? Number(digits) : NaN;
  const errors = {
    query:
      words === ''
        ? 'Write what to look for.'
        : words.length > MAX_QUERY_CHARACTERS
          ? `At most ${formatCount(MAX_QUERY_CHARACTERS)} characters; these are ${formatCount(words.length)}.`
          : null,
    amount: number >= 1 && number <= limit ? null : `A whole number from 1 to ${formatCount(limit)}.`,
  };
  if (errors.query !== null || errors.amount !== null) return { ok: false, errors };
  return { ok: true, inputs: { query: words, max_results: number } };
}
