import { readFile } from 'node:fs/promises';

/** A person ("Last, Fore" or "Last, Fore, Suffix"), the same with an ORCID, or a group. */
export type DemoAuthor = string | { readonly name: string; readonly orcid: string } | { readonly collective: string };

/** One self-written record, in a form that people can edit. Titles and abstracts are XML fragments. */
export interface DemoRecord {
  readonly pmid: string;
  readonly title: string;
  readonly vernacular?: string;
  readonly abstract?: string | readonly (readonly [label: string, text: string])[];
  readonly authors: readonly DemoAuthor[];
  readonly journal?: string;
  readonly book?: DemoBook;
  /** `2021-04-19`, `2021-04`, `2021`, `1994 Spring`, or free text such as `2000 Nov-Dec` */
  readonly date: string;
  readonly volume?: string;
  readonly issue?: string;
  readonly pages?: string;
  readonly pmc?: string;
  readonly lang?: readonly string[];
  readonly types?: readonly string[];
  readonly mesh?: readonly string[];
  readonly keywords?: readonly string[];
  readonly trials?: readonly string[];
  readonly notices?: readonly (readonly [type: string, pmid: string])[];
  /** still found by a search, no longer there to fetch */
  readonly deleted?: boolean;
}

export interface DemoBook {
  readonly title: string;
  readonly publisher: string;
  readonly place: string;
  readonly year: string;
  readonly accession: string;
  readonly editors: readonly string[];
}

export interface DemoJournal {
  readonly title: string;
  readonly abbreviation: string;
}

/** All that the demo PubMed knows. */
export interface DemoLibrary {
  readonly records: readonly DemoRecord[];
  readonly journals: Readonly<Record<string, DemoJournal>>;
}

const FIXTURES = new URL('../../tests/fixtures/pubmed/', import.meta.url);
const TOPICS = ['sleep-and-memory', 'base-editing', 'gut-and-mood'];

/** Reads the self-written records from the fixtures. @throws when the checkout lacks them */
export async function loadDemoLibrary(): Promise<DemoLibrary> {
  const [journals, ...topics] = await Promise.all(['journals', ...TOPICS].map(readJson));
  return {
    journals: journals as DemoLibrary['journals'],
    records: topics.flatMap((topic) => topic as readonly DemoRecord[]),
  };
}

async function readJson(name: string): Promise<unknown> {
  return JSON.parse(await readFile(new URL(`${name}.json`, FIXTURES), 'utf8'));
}
