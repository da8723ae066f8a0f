import type { RetryPolicy } from '../../contracts/tools.ts';
import type { TabmeshError } from '../../lib/errors.ts';

/** Tries after the first: what three waits do not mend, a fourth does not either. */
const MAX_RETRIES = 3;
/** The first wait, ms: long enough for a tab to come back from a reload, hardly noticed by a person. */
const BASE_MS = 200;
/** The longest wait, ms: then the caller had better know. */
const LONGEST_MS = 5000;
/** Half of each wait is drawn: callers that failed together do not come again together. */
const JITTER = 0.5;

/** A person is asked; asking again and again is not how to get an answer. */
const NOT_BY_ITSELF = 'approval_pending';

/**
 * How long to wait before a call is tried again.
 * @param retry 1 for the first
 * @param random 0 to 1
 * @returns ms; null when it is not tried again
 */
export function retryDelay(
  policy: RetryPolicy,
  retry: number,
  error: TabmeshError,
  random: () => number,
): number | null {
  if (policy === 'none' || retry > MAX_RETRIES || !error.retryable || error.code === NOT_BY_ITSELF) return null;
  const factor = policy === 'fixed' ? 1 : policy === 'linear' ? retry : 2 ** (retry - 1);
  const wait = Math.min(BASE_MS * factor, LONGEST_MS);
  return Math.max(wait * (1 - JITTER + JITTER * random()), askedFor(error));
}

/** Who refused may have said when to come again. */
function askedFor({ details }: TabmeshError): number {
  const asked = details['retryAfterMs'];
  return typeof asked === 'number' && asked > 0 ? asked : 0;
}
