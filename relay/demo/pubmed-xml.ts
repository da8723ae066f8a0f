import type { DemoAuthor, DemoBook, DemoLibrary, DemoRecord } from './library.ts';

const PROLOG = `<?xml version="1.0" ?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN" "https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">
`;
const MATHML = ' xmlns:mml="http://www.w3.org/1998/Math/MathML"';
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** The XML that efetch answers for these records; those without a place in the library (deleted) must be left out before. */
export function pubmedXml(records: readonly DemoRecord[], journals: DemoLibrary['journals']): string {
  const articles = records.map((record) =>
    record.book === undefined ? articleXml(record, journals) : bookXml(record, record.book),
  );
  return `${PROLOG}<PubmedArticleSet>\n${articles.join('')}</PubmedArticleSet>`;
}

/** Escapes text for XML content and attributes. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}

function articleXml(record: DemoRecord, journals: DemoLibrary['journals']): string {
  const journal = record.journal === undefined ? undefined : journals[record.journal];
  const issue =
    optional('Volume', record.volume) + optional('Issue', record.issue) + element('PubDate', dateXml(record.date));
  const article =
    element(
      'Journal',
      element('JournalIssue', issue, ' CitedMedium="Internet"') +
        optional('Title', journal?.title) +
        optional('ISOAbbreviation', journal?.abbreviation),
    ) +
    element('ArticleTitle', record.title, record.title.includes('mml:') ? MATHML : '') +
    (record.pages === undefined ? '' : element('Pagination', element('MedlinePgn', escapeXml(record.pages)))) +
    `<ELocationID EIdType="doi" ValidYN="Y">${doiOf(record)}</ELocationID>` +
    abstractXml(record) +
    authorsXml(record.authors, ' CompleteYN="Y"') +
    (record.lang ?? ['eng']).map((code) => element('Language', code)).join('') +
    trialsXml(record) +
    list('PublicationTypeList', 'PublicationType', record.types ?? ['Journal Article']) +
    optional('VernacularTitle', record.vernacular);
  const citation =
    pmidXml(record.pmid) +
    element('Article', article, ' PubModel="Print-Electronic"') +
    element('MedlineJournalInfo', optional('MedlineTA', journal?.abbreviation)) +
    noticesXml(record) +
    meshXml(record) +
    list('KeywordList', 'Keyword', record.keywords ?? [], ' Owner="NOTNLM"');
  const ids =
    articleId('pubmed', record.pmid) +
    (record.pmc === undefined ? '' : articleId('pmc', record.pmc)) +
    articleId('doi', doiOf(record));
  const data = element('PublicationStatus', 'ppublish') + element('ArticleIdList', ids);
  return element(
    'PubmedArticle',
    element('MedlineCitation', citation, ' Status="MEDLINE" Owner="NLM"') + element('PubmedData', data),
  );
}

function bookXml(record: DemoRecord, book: DemoBook): string {
  const bookElement =
    element('Publisher', optional('PublisherName', book.publisher) + optional('PublisherLocation', book.place)) +
    optional('BookTitle', book.title) +
    element('PubDate', element('Year', book.year)) +
    authorsXml(book.editors, ' Type="editors"') +
    element('Medium', 'Internet');
  const document =
    pmidXml(record.pmid) +
    element('ArticleIdList', articleId('bookaccession', book.accession)) +
    element('Book', bookElement) +
    element('ArticleTitle', record.title) +
    element('Language', 'eng') +
    authorsXml(record.authors, ' Type="authors"') +
    (record.types ?? []).map((type) => element('PublicationType', type)).join('') +
    abstractXml(record) +
    list('KeywordList', 'Keyword', record.keywords ?? []) +
    element('ContributionDate', dateXml(record.date));
  const data = element('PublicationStatus', 'ppublish') + element('ArticleIdList', articleId('pubmed', record.pmid));
  return element('PubmedBookArticle', element('BookDocument', document) + element('PubmedBookData', data));
}

function abstractXml({ abstract }: DemoRecord): string {
  if (abstract === undefined) return '';
  if (typeof abstract === 'string') {
    return element('Abstract', element('AbstractText', abstract, abstract.includes('mml:') ? MATHML : ''));
  }
  const sections = abstract.map(([label, text]) => element('AbstractText', text, ` Label="${escapeXml(label)}"`));
  return element('Abstract', sections.join(''));
}

function authorsXml(authors: readonly DemoAuthor[], attributes: string): string {
  if (authors.length === 0) return '';
  return element('AuthorList', authors.map(authorXml).join(''), attributes);
}

function authorXml(author: DemoAuthor): string {
  if (typeof author === 'object' && 'collective' in author) {
    return element('Author', optional('CollectiveName', author.collective), ' ValidYN="Y"');
  }
  const [last = '', fore = '', suffix] = (typeof author === 'string' ? author : author.name).split(', ');
  const initials = fore.replace(/[^\p{Lu}]/gu, '');
  const orcid = typeof author === 'string' ? '' : element('Identifier', author.orcid, ' Source="ORCID"');
  const name =
    optional('LastName', last) +
    optional('ForeName', fore) +
    optional('Initials', initials) +
    optional('Suffix', suffix);
  return element('Author', name + orcid, ' ValidYN="Y"');
}

function dateXml(date: string): string {
  const [, year = '', month, day] = /^(\d{4})(?:-(\d\d))?(?:-(\d\d))?$/.exec(date) ?? [];
  if (year !== '') {
    return element('Year', year) + optional('Month', MONTHS[Number(month) - 1]) + optional('Day', day);
  }
  const season = /^(\d{4}) (Spring|Summer|Autumn|Fall|Winter)$/.exec(date);
  if (season !== null) return optional('Year', season[1]) + optional('Season', season[2]);
  return element('MedlineDate', escapeXml(date));
}

function trialsXml({ trials = [] }: DemoRecord): string {
  const banks = trials.map((id) => {
    const registry = id.startsWith('NCT') ? 'ClinicalTrials.gov' : 'ISRCTN';
    return element(
      'DataBank',
      element('DataBankName', registry) + list('AccessionNumberList', 'AccessionNumber', [id]),
    );
  });
  return banks.length === 0 ? '' : element('DataBankList', banks.join(''), ' CompleteYN="Y"');
}

function noticesXml({ notices = [] }: DemoRecord): string {
  const links = notices.map(([type, pmid]) => element('CommentsCorrections', pmidXml(pmid), ` RefType="${type}"`));
  return links.length === 0 ? '' : element('CommentsCorrectionsList', links.join(''));
}

function meshXml({ mesh = [] }: DemoRecord): string {
  const headings = mesh.map((term) =>
    element('MeshHeading', element('DescriptorName', escapeXml(term), ' MajorTopicYN="N"')),
  );
  return headings.length === 0 ? '' : element('MeshHeadingList', headings.join(''));
}

/** DOIs under Crossref's prefix for examples. */
function doiOf(record: DemoRecord): string {
  return `10.5555/${record.pmid}`;
}

function pmidXml(pmid: string): string {
  return element('PMID', pmid, ' Version="1"');
}

function articleId(type: string, id: string): string {
  return element('ArticleId', id, ` IdType="${type}"`);
}

function list(name: string, item: string, texts: readonly string[], attributes = ''): string {
  if (texts.length === 0) return '';
  return element(name, texts.map((text) => element(item, escapeXml(text))).join(''), attributes);
}

function optional(name: string, text: string | undefined): string {
  return text === undefined || text === '' ? '' : element(name, escapeXml(text));
}

function element(name: string, content: string, attributes = ''): string {
  return `<${name}${attributes}>${content}</${name}>`;
}
