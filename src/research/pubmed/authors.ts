import type { Author } from '../../contracts/records.ts';
import { childAt, childrenOf, textOf, textOrNull } from '../xml/element.ts';
import type { XmlElement } from '../xml/element.ts';

/** Sixteen digits in fours, the last may be X (ISO 7064); sources add a URL or leave out the hyphens. */
const ORCID = /(\d{4})-?(\d{4})-?(\d{4})-?(\d{3}[\dX])$/i;

/** The authors of an `AuthorList` in print order. Spellings that an erratum has replaced (`ValidYN="N"`) are left out. */
export function readAuthors(list: XmlElement | undefined): Author[] {
  return childrenOf(list, 'Author').flatMap((author) => {
    if (author.attributes['ValidYN'] === 'N') return [];
    const collective = textOrNull(childAt(author, 'CollectiveName'));
    const name = collective ?? personName(author);
    return name === '' ? [] : [{ name, collective: collective !== null, orcid: readOrcid(author) }];
  });
}

function personName(author: XmlElement): string {
  const given = textOf(childAt(author, 'ForeName')) || textOf(childAt(author, 'Initials'));
  const parts = [given, textOf(childAt(author, 'LastName')), textOf(childAt(author, 'Suffix'))];
  return parts.filter((part) => part !== '').join(' ');
}

function readOrcid(author: XmlElement): string | null {
  const identifier = childrenOf(author, 'Identifier').find(({ attributes }) => attributes['Source'] === 'ORCID');
  const match = ORCID.exec(textOf(identifier));
  return match === null ? null : match.slice(1, 5).join('-').toUpperCase();
}
