import type { Notice } from '../../contracts/records.ts';
import { childAt, childrenOf, textOrNull } from '../xml/element.ts';
import type { XmlElement } from '../xml/element.ts';

/** The reference list in another guise: says nothing about the record. */
const NOT_A_NOTICE = 'Cites';

/**
 * Links to notices about a record: retractions, errata, expressions of concern, updates, comments.
 * RefTypes: https://www.nlm.nih.gov/bsd/licensee/elements_descriptions.html#commentscorrections
 */
export function readNotices(citation: XmlElement | undefined): Notice[] {
  return childrenOf(childAt(citation, 'CommentsCorrectionsList'), 'CommentsCorrections').flatMap((link) => {
    const type = link.attributes['RefType'] ?? '';
    return type === '' || type === NOT_A_NOTICE ? [] : [{ type, pmid: textOrNull(childAt(link, 'PMID')) }];
  });
}

/** True for a retracted work; the notice that retracts it, or a partial retraction, does not count. */
export function isRetracted(publicationTypes: readonly string[], notices: readonly Notice[]): boolean {
  return publicationTypes.includes('Retracted Publication') || notices.some(({ type }) => type === 'RetractionIn');
}
