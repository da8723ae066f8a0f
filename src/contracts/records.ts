/**
 * A literature record as stored in a dataset. Every field is present (null when unknown), so that the same
 * record always encodes to the same dag-cbor bytes and CID. Nothing about *when* or *how* it was fetched is in it.
 */
export interface LiteratureRecord {
  /** `<source>:<id at the source>`, e.g. `pubmed:27797938` */
  readonly id: string;
  readonly source: 'pubmed';
  readonly kind: 'article' | 'book';
  readonly title: string;
  /** the title in the original language, where given */
  readonly vernacularTitle: string | null;
  /** empty when the record has no abstract; `label` is a heading such as "METHODS" */
  readonly abstract: readonly AbstractSection[];
  readonly authors: readonly Author[];
  /** full journal or book title */
  readonly venue: string | null;
  readonly venueAbbreviation: string | null;
  readonly volume: string | null;
  readonly issue: string | null;
  readonly pages: string | null;
  readonly date: PartialDate;
  readonly doi: string | null;
  readonly pmcid: string | null;
  /** canonical web page of the record */
  readonly url: string;
  readonly languages: readonly string[];
  readonly publicationTypes: readonly string[];
  readonly meshTerms: readonly string[];
  readonly keywords: readonly string[];
  /** trial registry ids (NCT…) */
  readonly trials: readonly string[];
  readonly notices: readonly Notice[];
  readonly retracted: boolean;
}

export interface AbstractSection {
  readonly label: string | null;
  readonly text: string;
}

export interface Author {
  /** display form: "Fore Last", or the collective's name */
  readonly name: string;
  readonly collective: boolean;
  readonly orcid: string | null;
}

/** Only what the source says; a day or month is never invented. */
export interface PartialDate {
  readonly year: number | null;
  readonly month: number | null;
  readonly day: number | null;
  /** as the source wrote it when it is not a plain date, e.g. "1990 Spring", "2000 Nov-Dec" */
  readonly text: string | null;
}

/** A link to a notice about the record: retraction, erratum, expression of concern, update. */
export interface Notice {
  /** PubMed RefType, e.g. "RetractionIn", "ErratumIn", "UpdateOf" */
  readonly type: string;
  readonly pmid: string | null;
}
