import type { LiteratureRecord, PartialDate } from '../../contracts/records.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** Authors named in a list before the rest is a count: enough to recognise a paper by. */
const NAMED_AUTHORS = 3;

/**
 * A date as far as the source gave it: "27 Oct 2016", "Oct 2016", "2016", or the source's own words ("1990 Spring").
 * @returns null when nothing is known
 */
export function formatPartialDate(date: PartialDate): string | null {
  if (date.year === null) return date.text;
  const month = date.month === null ? undefined : MONTHS[date.month - 1];
  if (month === undefined) return date.text ?? String(date.year);
  return date.day === null ? `${month} ${date.year}` : `${date.day} ${month} ${date.year}`;
}

/**
 * The first authors by name and the others as a count: "A, B, C and 5 more".
 * @param total all authors, where `names` is itself cut short
 * @param shown how many to name
 * @returns the empty string for a work without authors
 */
export function authorLine(names: readonly string[], total = names.length, shown = NAMED_AUTHORS): string {
  const named = names.slice(0, shown).join(', ');
  const more = Math.max(total, names.length) - Math.min(shown, names.length);
  return more > 0 && named !== '' ? `${named} and ${more.toLocaleString('en')} more` : named;
}

type Published = Pick<LiteratureRecord, 'venue' | 'venueAbbreviation' | 'volume' | 'issue' | 'pages' | 'date'>;

/**
 * Where a work appeared, in the order of the Vancouver style: "N Engl J Med. 10 Nov 2016;375(19):1823-1833". Parts that
 * the record lacks are left out together with their punctuation.
 * @see https://www.ncbi.nlm.nih.gov/books/NBK7282/
 */
export function citationLine(record: Published): string {
  const venue = record.venueAbbreviation ?? record.venue;
  const issue = record.issue === null ? '' : `(${record.issue})`;
  const volume = `${record.volume ?? ''}${issue}`;
  const pages = record.pages === null ? '' : `${volume === '' ? '' : ':'}${record.pages}`;
  const where = `${volume}${pages}`;
  const when = formatPartialDate(record.date);
  const issueLine = [when, where === '' ? null : where].filter((part) => part !== null).join(';');
  return [venue?.replace(/\.$/, ''), issueLine === '' ? undefined : issueLine].filter(Boolean).join('. ');
}

const languages = new Intl.DisplayNames('en', { type: 'language', fallback: 'code' });

/** A language in words: PubMed's three-letter code "eng" (ISO 639-2) is "English"; an unknown code stays as it is. */
export function languageName(code: string): string {
  // "und" and the like, and texts that are no codes, would throw or say less than the code
  return /^[a-z]{2,3}$/.test(code) ? (languages.of(code) ?? code) : code;
}

/** The part of a record id that the source knows: "27797938" of "pubmed:27797938". */
export function sourceId(recordId: string): string {
  return recordId.slice(recordId.indexOf(':') + 1);
}
