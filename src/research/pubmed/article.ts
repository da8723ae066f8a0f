import type { LiteratureRecord, PartialDate } from '../../contracts/records.ts';
import { childAt, childrenOf, textOf, textOrNull } from '../xml/element.ts';
import type { XmlElement } from '../xml/element.ts';
import { readAbstract } from './abstract.ts';
import { readAuthors } from './authors.ts';
import { readDate } from './date.ts';
import { readDoi, readPages, readPmcid, readPmid, recordUrl, textsOf } from './fields.ts';
import { isRetracted, readNotices } from './notices.ts';
import { readTrials } from './trials.ts';

/**
 * The record of one `PubmedArticle`. Element paths: NLM's PubMed DTD,
 * https://dtd.nlm.nih.gov/ncbi/pubmed/doc/out/250101/.
 * @throws `upstream_malformed` when it has no PMID
 */
export function articleRecord(element: XmlElement): LiteratureRecord {
  const citation = childAt(element, 'MedlineCitation');
  const article = childAt(citation, 'Article');
  const journal = childAt(article, 'Journal');
  const issue = childAt(journal, 'JournalIssue');
  const pmid = readPmid(citation);
  const vernacularTitle = textOrNull(childAt(article, 'VernacularTitle'));
  const publicationTypes = textsOf(childAt(article, 'PublicationTypeList'), 'PublicationType');
  const notices = readNotices(citation);
  const idLists = [childAt(element, 'PubmedData', 'ArticleIdList')];
  return {
    id: `pubmed:${pmid}`,
    source: 'pubmed',
    kind: 'article',
    title: textOf(childAt(article, 'ArticleTitle')) || (vernacularTitle ?? ''),
    vernacularTitle,
    abstract: readAbstract(childAt(article, 'Abstract')),
    authors: readAuthors(childAt(article, 'AuthorList')),
    venue: textOrNull(childAt(journal, 'Title')),
    venueAbbreviation:
      textOrNull(childAt(journal, 'ISOAbbreviation')) ??
      textOrNull(childAt(citation, 'MedlineJournalInfo', 'MedlineTA')),
    volume: textOrNull(childAt(issue, 'Volume')),
    issue: textOrNull(childAt(issue, 'Issue')),
    pages: readPages(childAt(article, 'Pagination')),
    date: publicationDate(issue, article),
    doi: readDoi(idLists, childrenOf(article, 'ELocationID')),
    pmcid: readPmcid(idLists),
    url: recordUrl(pmid),
    languages: textsOf(article, 'Language'),
    publicationTypes,
    meshTerms: textsOf(childAt(citation, 'MeshHeadingList'), 'MeshHeading', 'DescriptorName'),
    keywords: childrenOf(citation, 'KeywordList').flatMap((list) => textsOf(list, 'Keyword')),
    trials: readTrials(childAt(article, 'DataBankList')),
    notices,
    retracted: isRetracted(publicationTypes, notices),
  };
}

/** The issue's date; the electronic one only when the issue has none. */
function publicationDate(issue: XmlElement | undefined, article: XmlElement | undefined): PartialDate {
  return readDate(childAt(issue, 'PubDate') ?? childAt(article, 'ArticleDate'));
}
