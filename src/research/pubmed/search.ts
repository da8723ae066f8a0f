import { eutilsUrl, MAX_RESULTS, publicUrl } from './eutils.ts';
import type { Eutils } from './eutils.ts';
import { readSearchReply } from './search-reply.ts';

/** Ids of one request: a reply of about 60 KB, far below what any client in between refuses. */
const PAGE_IDS = 5_000;

/** What a search found. */
export interface PubmedSearch {
  /** PMIDs, most relevant first, no duplicates */
  readonly ids: readonly string[];
  /** all matches, beyond `ids` too */
  readonly count: number;
  /** how PubMed understood the query; null when it does not say */
  readonly queryTranslation: string | null;
  /** e.g. phrases that were not found */
  readonly warnings: readonly string[];
  /** URLs asked, without tool and email */
  readonly requests: readonly string[];
}

/**
 * Searches PubMed by relevance (esearch).
 * @param query PubMed's own query syntax
 * @param maxResults 1 to {@link MAX_RESULTS}
 * @throws `upstream_*` as the queue does; `upstream_error` for an error reply, `upstream_malformed`; `cancelled`
 */
export async function searchPubmed(
  { queue, email }: Eutils,
  query: string,
  maxResults: number,
  signal: AbortSignal,
): Promise<PubmedSearch> {
  const wanted = Math.min(maxResults, MAX_RESULTS);
  const ids = new Set<string>();
  const warnings = new Set<string>();
  const requests: string[] = [];
  for (let start = 0; ; start += PAGE_IDS) {
    const size = Math.min(PAGE_IDS, wanted - start);
    const parameters = { term: query, retstart: `${start}`, retmax: `${size}`, retmode: 'json', sort: 'relevance' };
    const url = eutilsUrl('esearch', parameters, email);
    const answer = await queue.get(url, { signal, accept: 'application/json' });
    const reply = readSearchReply(answer.body);
    requests.push(publicUrl(url));
    for (const id of reply.ids.slice(0, size)) ids.add(id);
    for (const warning of reply.warnings) warnings.add(warning);
    const next = start + PAGE_IDS;
    if (reply.ids.length === 0 || next >= Math.min(wanted, reply.count)) {
      const { count, queryTranslation } = reply;
      return { ids: [...ids], count, queryTranslation, warnings: [...warnings], requests };
    }
  }
}
