import type { LiteratureRecord } from '../../contracts/records.ts';
import { eutilsUrl, publicUrl } from './eutils.ts';
import type { Eutils } from './eutils.ts';
import { parsePubmedXml, recordIdOf } from './parse.ts';

/**
 * Ids of one request. NCBI takes about 200 in a GET; half of that keeps an answer (records with long reference lists
 * reach 40 KB each) near 4 MB, and shows progress earlier.
 */
export const BATCH_IDS = 100;

/** The answer to one request for records. */
export interface FetchedBatch {
  readonly records: readonly LiteratureRecord[];
  /** ids asked for that did not come: deleted, or never assigned */
  readonly missing: readonly string[];
  /** without tool and email */
  readonly url: string;
}

/**
 * Fetches records by PMID (efetch), one batch after the other; what was yielded stays with the caller when a later batch
 * fails. Records may come in another order than asked.
 * @throws `upstream_*` as the queue and the parser do; `cancelled`
 */
export async function* fetchPubmed(
  { queue, email }: Eutils,
  ids: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<FetchedBatch, void, void> {
  const wanted = [...new Set(ids)];
  for (let start = 0; start < wanted.length; start += BATCH_IDS) {
    const batch = wanted.slice(start, start + BATCH_IDS);
    const url = eutilsUrl('efetch', { retmode: 'xml' }, email, batch);
    const answer = await queue.get(url, { signal, accept: 'application/xml, text/xml' });
    const { records } = parsePubmedXml(answer.body);
    const came = new Set(records.map((record) => record.id));
    yield { records, missing: batch.filter((pmid) => !came.has(recordIdOf(pmid))), url: publicUrl(url) };
  }
}
