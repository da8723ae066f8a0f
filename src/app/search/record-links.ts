import type { LiteratureRecord, Notice } from '../../contracts/records.ts';
import { sourceId } from './record-format.ts';

export interface Identifier {
  readonly label: string;
  readonly value: string;
  /** null when the value does not look like what its label says: shown, but not linked */
  readonly href: string | null;
}

const PATTERNS = {
  pmid: /^\d{1,9}$/,
  doi: /^10\.\d{4,9}\/\S+$/,
  pmcid: /^PMC\d+$/i,
  trial: /^NCT\d{8}$/i,
} as const;

/**
 * The ids under which a record is known elsewhere, with their pages. Records come from other peers, so a link is built
 * only from an id of the right form, and always on the registry's own host.
 */
export function identifiers(record: LiteratureRecord): readonly Identifier[] {
  const pmid = sourceId(record.id);
  return [
    link('PMID', pmid, PATTERNS.pmid, pubmedUrl),
    ...(record.doi === null ? [] : [link('DOI', record.doi, PATTERNS.doi, doiUrl)]),
    ...(record.pmcid === null ? [] : [link('PMCID', record.pmcid, PATTERNS.pmcid, pmcUrl)]),
    ...record.trials.map((trial) => link('Trial', trial, PATTERNS.trial, trialUrl)),
  ];
}

/**
 * @param url an address that came from a peer
 * @returns the address when it is http or https, else null: `javascript:` and the like are never linked
 */
export function webUrl(url: string): string | null {
  if (!URL.canParse(url)) return null;
  const parsed = new URL(url);
  return parsed.protocol === 'https:' || parsed.protocol === 'http:' ? parsed.href : null;
}

/** PubMed RefTypes in words; others are shown as they are, split at capitals. */
const NOTICES: Readonly<Record<string, string>> = {
  RetractionIn: 'Retracted in',
  RetractionOf: 'Retracts',
  PartialRetractionIn: 'Partly retracted in',
  ExpressionOfConcernIn: 'Expression of concern in',
  ErratumIn: 'Corrected in',
  ErratumFor: 'Corrects',
  UpdateIn: 'Updated in',
  UpdateOf: 'Updates',
  RepublishedIn: 'Republished in',
  RepublishedFrom: 'Republished from',
  CommentIn: 'Commented on in',
  CommentOn: 'Comments on',
};

/**
 * A notice in words with the page of the notice, where its id is known.
 * @see https://www.nlm.nih.gov/bsd/licensee/elements_descriptions.html (CommentsCorrections, RefType)
 */
export function noticeText(notice: Notice): { readonly text: string; readonly href: string | null } {
  const text = NOTICES[notice.type] ?? notice.type.replace(/(?<=[a-z])(?=[A-Z])/g, ' ');
  const linked = notice.pmid !== null && PATTERNS.pmid.test(notice.pmid);
  return { text, href: linked ? pubmedUrl(notice.pmid) : null };
}

function link(label: string, value: string, pattern: RegExp, href: (value: string) => string): Identifier {
  return { label, value, href: pattern.test(value) ? href(value) : null };
}

function pubmedUrl(pmid: string): string {
  return `https://pubmed.ncbi.nlm.nih.gov/${pmid}/`;
}

function doiUrl(doi: string): string {
  return `https://doi.org/${doi.split('/').map(encodeURIComponent).join('/')}`;
}

function pmcUrl(pmcid: string): string {
  return `https://pmc.ncbi.nlm.nih.gov/articles/${pmcid.toUpperCase()}/`;
}

function trialUrl(trial: string): string {
  return `https://clinicaltrials.gov/study/${trial.toUpperCase()}`;
}
