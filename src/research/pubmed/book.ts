import type { LiteratureRecord } from '../../contracts/records.ts';
import { childAt, childrenOf, textOf, textOrNull } from '../xml/element.ts';
import type { XmlElement } from '../xml/element.ts';
import { readAbstract } from './abstract.ts';
import { readAuthors } from './authors.ts';
import { readDate } from './date.ts';
import { readDoi, readPages, readPmcid, readPmid, recordUrl, textsOf } from './fields.ts';

/**
 * The record of one `PubmedBookArticle`: a chapter (it has an `ArticleTitle` and authors of its own) or a whole book.
 * @throws `upstream_malformed` when it has no PMID
 */
export function bookRecord(element: XmlElement): LiteratureRecord {
  const document = childAt(element, 'BookDocument');
  const book = childAt(document, 'Book');
  const pmid = readPmid(document);
  const bookTitle = textOrNull(childAt(book, 'BookTitle'));
  const idLists = [childAt(element, 'PubmedBookData', 'ArticleIdList'), childAt(document, 'ArticleIdList')];
  return {
    id: `pubmed:${pmid}`,
    source: 'pubmed',
    kind: 'book',
    title: textOrNull(childAt(document, 'ArticleTitle')) ?? bookTitle ?? '',
    vernacularTitle: textOrNull(childAt(document, 'VernacularTitle')),
    abstract: readAbstract(childAt(document, 'Abstract')),
    authors: readAuthors(ownAuthors(document) ?? childAt(book, 'AuthorList')),
    venue: bookTitle,
    venueAbbreviation: null,
    volume: textOrNull(childAt(book, 'Volume')),
    issue: null,
    pages: readPages(childAt(document, 'Pagination')),
    // the book's own date is that of its first edition; a chapter says when it was contributed
    date: readDate(childAt(document, 'ContributionDate') ?? childAt(book, 'PubDate')),
    doi: readDoi(idLists, childrenOf(book, 'ELocationID')),
    pmcid: readPmcid(idLists),
    url: recordUrl(pmid),
    languages: textsOf(document, 'Language'),
    publicationTypes: textsOf(document, 'PublicationType'),
    meshTerms: [],
    keywords: childrenOf(document, 'KeywordList').flatMap((list) => textsOf(list, 'Keyword')),
    trials: [],
    notices: [],
    retracted: false,
  };
}

/** The chapter's authors; its editors stand in another list of the same name. */
function ownAuthors(document: XmlElement | undefined): XmlElement | undefined {
  const lists = childrenOf(document, 'AuthorList').filter((list) => textOf(list) !== '');
  return lists.find((list) => list.attributes['Type'] !== 'editors') ?? lists[0];
}
