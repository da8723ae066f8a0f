import { childAt, childrenOf, textOf, textOrNull } from '../xml/element.ts';
import type { XmlElement } from '../xml/element.ts';
import { malformed } from './service-error.ts';

/**
 * The record's own PMID.
 * @param citation the element whose direct child it is; the same tag below it names other records
 * @throws `upstream_malformed` when there is none
 */
export function readPmid(citation: XmlElement | undefined): string {
  const pmid = textOf(childAt(citation, 'PMID'));
  if (!/^\d{1,12}$/.test(pmid)) throw malformed('a record without a PMID');
  return pmid;
}

/** The page of a record for people. */
export function recordUrl(pmid: string): string {
  return `https://pubmed.ncbi.nlm.nih.gov/${pmid}/`;
}

/**
 * The non-empty texts of all `name` children, without duplicates.
 * @param below names of further levels below each of them
 */
export function textsOf(parent: XmlElement | undefined, name: string, ...below: readonly string[]): string[] {
  const texts = childrenOf(parent, name).map((child) => textOf(childAt(child, ...below)));
  return [...new Set(texts.filter((text) => text !== ''))];
}

/**
 * The DOI without resolver prefix.
 * @param idLists the record's own `ArticleIdList`s, best first
 * @param locations `ELocationID`s, used when no list has it
 */
export function readDoi(idLists: readonly (XmlElement | undefined)[], locations: readonly XmlElement[]): string | null {
  const located = locations.find(({ attributes }) => attributes['EIdType'] === 'doi' && attributes['ValidYN'] !== 'N');
  const doi = articleId(idLists, 'doi') ?? textOf(located);
  return doi.replace(/^(https?:\/\/(dx\.)?doi\.org\/|doi:\s*)/i, '') || null;
}

/** The PubMed Central id, e.g. `PMC1234567`. */
export function readPmcid(idLists: readonly (XmlElement | undefined)[]): string | null {
  const pmc = articleId(idLists, 'pmc');
  if (pmc === null) return null;
  return /^\d+$/.test(pmc) ? `PMC${pmc}` : pmc;
}

/** Pages as printed, e.g. `770-780`. */
export function readPages(pagination: XmlElement | undefined): string | null {
  const printed = textOrNull(childAt(pagination, 'MedlinePgn'));
  if (printed !== null) return printed;
  const start = textOrNull(childAt(pagination, 'StartPage'));
  const end = textOrNull(childAt(pagination, 'EndPage'));
  return start === null || end === null ? start : `${start}-${end}`;
}

function articleId(idLists: readonly (XmlElement | undefined)[], type: string): string | null {
  for (const list of idLists) {
    for (const id of childrenOf(list, 'ArticleId')) {
      const text = textOf(id);
      if (id.attributes['IdType'] === type && text !== '') return text;
    }
  }
  return null;
}
