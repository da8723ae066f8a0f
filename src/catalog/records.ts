import type { RecordEntry } from '../contracts/dataset.ts';
import type { LiteratureRecord } from '../contracts/records.ts';
import type * as z from '../tools/zod.ts';
import type { record as recordSchema, recordEntry } from './schemas.ts';

/** The wire form of a record and its address. */
export function recordEntryToWire(entry: RecordEntry): z.output<typeof recordEntry> {
  return { cid: entry.cid, record: recordToWire(entry.record) };
}

function recordToWire(record: LiteratureRecord): z.output<typeof recordSchema> {
  return {
    id: record.id,
    source: record.source,
    kind: record.kind,
    title: record.title,
    vernacular_title: record.vernacularTitle,
    abstract: record.abstract.map(({ label, text }) => ({ label, text })),
    authors: record.authors.map(({ name, collective, orcid }) => ({ name, collective, orcid })),
    venue: record.venue,
    venue_abbreviation: record.venueAbbreviation,
    volume: record.volume,
    issue: record.issue,
    pages: record.pages,
    date: { ...record.date },
    doi: record.doi,
    pmcid: record.pmcid,
    url: record.url,
    languages: [...record.languages],
    publication_types: [...record.publicationTypes],
    mesh_terms: [...record.meshTerms],
    keywords: [...record.keywords],
    trials: [...record.trials],
    notices: record.notices.map(({ type, pmid }) => ({ type, pmid })),
    retracted: record.retracted,
  };
}
