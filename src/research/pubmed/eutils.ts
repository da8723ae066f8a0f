import type { Clock } from '../../lib/clock.ts';
import type { FetchPort } from '../../contracts/fetch.ts';
import type { RequestGate } from '../gate.ts';
import { createRequestQueue } from '../request-queue.ts';
import type { RequestQueue } from '../request-queue.ts';

/** NCBI E-utilities: https://www.ncbi.nlm.nih.gov/books/NBK25497/ */
const BASE_URL = 'https://eutils.ncbi.nlm.nih.gov/entrez/eutils/';
/** Three requests a second are allowed to a caller without an API key (NBK25497, "Frequency"). */
const REQUEST_SPACING_MS = 334;
/** PubMed's esearch and efetch show at most this many records of a result (NBK25499). */
export const MAX_RESULTS = 10_000;
/** The name this program gives itself at NCBI; no spaces allowed. */
const TOOL = 'tabmesh';
/** Parameters that say who asks; left out of what is stored or shared. */
const IDENTITY_PARAMETERS = ['tool', 'email', 'api_key'];

/** What every request to the E-utilities needs. */
export interface Eutils {
  readonly queue: RequestQueue;
  /** contact address that NCBI asks callers to send */
  readonly email: string;
}

/** The E-utilities behind one polite queue. Make one per gate and share it. */
export function createEutils(options: {
  readonly fetch: FetchPort;
  readonly gate: RequestGate;
  readonly clock: Clock;
  readonly random: () => number;
  readonly email: string;
}): Eutils {
  const queue = createRequestQueue({ ...options, spacingMs: REQUEST_SPACING_MS, service: 'PubMed' });
  return { queue, email: options.email };
}

/**
 * The URL of one request for PubMed.
 * @param ids added last and with bare commas, which a URL allows and which keeps it a third shorter
 */
export function eutilsUrl(
  utility: 'esearch' | 'efetch',
  parameters: Readonly<Record<string, string>>,
  email: string,
  ids: readonly string[] = [],
): string {
  const query = new URLSearchParams({ db: 'pubmed', ...parameters, tool: TOOL, email });
  return `${BASE_URL}${utility}.fcgi?${query}${ids.length === 0 ? '' : `&id=${ids.join(',')}`}`;
}

/** The same URL without the parameters that say who asked: fit for provenance, which the whole room can read. */
export function publicUrl(url: string): string {
  const [path = '', query = ''] = url.split('?', 2);
  const kept = query.split('&').filter((pair) => !IDENTITY_PARAMETERS.includes(pair.split('=', 1)[0] ?? ''));
  return `${path}?${kept.join('&')}`;
}
