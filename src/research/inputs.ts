import { TabmeshError } from '../lib/errors.ts';
import type { Json } from '../contracts/workflow.ts';
import { MAX_RESULTS } from './pubmed/eutils.ts';

/** A longer query would not fit into the URL that asks it; PubMed's own examples stay below 500. */
const MAX_QUERY_CHARS = 2_000;

/** What `pubmed.search` takes. */
export interface SearchInputs {
  readonly query: string;
  readonly maxResults: number;
}

/**
 * Checks the inputs of `pubmed.search`; white space in the query is collapsed.
 * @throws `invalid_input`
 */
export function readSearchInputs(inputs: Json): SearchInputs {
  const { query, max_results: maxResults } = asObject(inputs);
  const text = typeof query === 'string' ? query.replace(/\s+/gu, ' ').trim() : '';
  if (text === '') throw invalid('the query is empty', 'Say what to search for, e.g. "sleep AND memory".');
  if (text.length > MAX_QUERY_CHARS) {
    throw invalid(`the query has ${text.length} characters`, `Shorten it to ${MAX_QUERY_CHARS} characters.`);
  }
  if (typeof maxResults !== 'number' || !Number.isInteger(maxResults) || maxResults < 1 || maxResults > MAX_RESULTS) {
    throw invalid(
      `max_results is ${maxResults === undefined ? 'missing' : JSON.stringify(maxResults)}`,
      `Give a whole number from 1 to ${MAX_RESULTS}.`,
    );
  }
  return { query: text, maxResults };
}

/**
 * Checks the inputs of `pubmed.fetch`.
 * @returns the PMIDs without duplicates; may be empty, as a search may find nothing
 * @throws `invalid_input`
 */
export function readFetchInputs(inputs: Json): readonly string[] {
  const { ids } = asObject(inputs);
  if (!Array.isArray(ids)) throw invalid('ids is not a list', 'Give a list of PMIDs as strings.');
  if (ids.length > MAX_RESULTS) throw invalid(`${ids.length} ids`, `Give at most ${MAX_RESULTS}.`);
  const checked = ids.map((id: Json) => {
    if (typeof id !== 'string' || !/^[1-9]\d{0,8}$/.test(id)) {
      throw invalid(`${JSON.stringify(id).slice(0, 40)} is not a PMID`, 'A PMID is a string of 1 to 9 digits.');
    }
    return id;
  });
  return [...new Set(checked)];
}

function asObject(inputs: Json): Readonly<Record<string, Json | undefined>> {
  if (typeof inputs !== 'object' || inputs === null || Array.isArray(inputs)) {
    throw invalid('the inputs are not an object', 'Give the inputs by name.');
  }
  return inputs as Readonly<Record<string, Json>>;
}

function invalid(message: string, hint: string): TabmeshError {
  return new TabmeshError('invalid_input', message, { hint });
}
