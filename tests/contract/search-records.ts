import type { IndexableRecord } from '../../src/contracts/search.ts';
import type { LiteratureRecord } from '../../src/contracts/records.ts';
import type { CidString } from '../../src/lib/ids.ts';

/** A record with only what a test says about it. `cid` stands in for a real one: search never looks into it. */
export function indexable(id: string, fields: Partial<LiteratureRecord> = {}, cid = `cid-${id}`): IndexableRecord {
  return {
    cid: cid as CidString,
    record: {
      id: `pubmed:${id}`,
      source: 'pubmed',
      kind: 'article',
      title: `Record ${id}`,
      vernacularTitle: null,
      abstract: [],
      authors: [],
      venue: null,
      venueAbbreviation: null,
      volume: null,
      issue: null,
      pages: null,
      date: { year: null, month: null, day: null, text: null },
      doi: null,
      pmcid: null,
      url: `https://pubmed.ncbi.nlm.nih.gov/${id}/`,
      languages: ['eng'],
      publicationTypes: [],
      meshTerms: [],
      keywords: [],
      trials: [],
      notices: [],
      retracted: false,
      ...fields,
    },
  };
}

/** A few records of different subjects, with something in every field that is searched. */
export const LIBRARY: readonly IndexableRecord[] = [
  indexable('1', {
    title: 'Sleep spindles and memory consolidation in older adults',
    abstract: [
      { label: 'BACKGROUND', text: 'Declarative memories become more stable during slow-wave sleep.' },
      { label: 'RESULTS', text: 'Spindle density predicted overnight retention of word pairs.' },
    ],
    authors: [{ name: 'Maren Lindqvist', collective: false, orcid: null }],
    meshTerms: ['Polysomnography'],
    venue: 'Journal of Sleep',
    date: { year: 2021, month: 4, day: null, text: null },
    doi: '10.1000/sleep.2021.17',
  }),
  indexable('2', {
    title: 'Blocking TNF-α in rheumatoid arthritis',
    abstract: [{ label: null, text: 'Patients with high IL-6 responded to anti-TNF antibodies within twelve weeks.' }],
    authors: [{ name: 'José Muñoz', collective: false, orcid: null }],
    keywords: ['biologics'],
    trials: ['NCT01234567'],
    retracted: true,
  }),
  indexable('3', {
    title: 'Spindle oscillations during sleep predict retention of memories',
    abstract: [{ label: null, text: 'Slow-wave sleep stabilises declarative memory; spindles carry the effect.' }],
  }),
  indexable('4', {
    title: 'Soil bacteria under drought',
    abstract: [{ label: null, text: 'A bacterium that fixes nitrogen survived forty dry days in sandy ground.' }],
  }),
];
