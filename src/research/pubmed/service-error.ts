import { TabmeshError } from '../../lib/errors.ts';
import { collapse } from '../xml/element.ts';

/** The service's own words are quoted up to here. */
const MAX_QUOTE_CHARS = 200;

/**
 * The error that NCBI reports inside an answer (which often has status 200).
 * @param said the text of an `ERROR` element or an `error` key
 */
export function serviceError(said: string): TabmeshError {
  const text = collapse(said).slice(0, MAX_QUOTE_CHARS);
  if (/rate limit/i.test(text)) {
    return new TabmeshError('upstream_throttled', 'PubMed says that it gets too many requests from here', {
      hint: 'Try again in a minute. Others on your network may be using PubMed too.',
      retryable: true,
    });
  }
  return new TabmeshError('upstream_error', `PubMed reports: ${text}`, {
    hint: 'Check the search terms. If they are fine, PubMed may have trouble: try again later.',
    retryable: true,
  });
}

/** The error for an answer that is not what the E-utilities document. */
export function malformed(what: string, cause?: unknown): TabmeshError {
  return new TabmeshError('upstream_malformed', `PubMed's answer cannot be read: ${what}`, {
    hint: 'PubMed may be in maintenance, or something between you and it changed the answer. Try again later.',
    retryable: true,
    cause,
  });
}
