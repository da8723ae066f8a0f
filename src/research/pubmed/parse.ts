import type { LiteratureRecord } from '../../contracts/records.ts';
import { childrenOf, textOf } from '../xml/element.ts';
import type { XmlElement } from '../xml/element.ts';
import { readXml } from '../xml/read.ts';
import { articleRecord } from './article.ts';
import { bookRecord } from './book.ts';
import { malformed, serviceError } from './service-error.ts';

/** Changes whenever the same XML would give another record; kept with every dataset. */
export const PARSER_VERSION = 'pubmed-xml/1';

/** Never of use here, and most of a record's bytes: references of articles, tables of contents of books. */
const SKIPPED: ReadonlySet<string> = new Set(['ReferenceList', 'Sections']);
/** Roots of record sets (NLM's pubmed DTD). */
const RECORD_ROOTS: ReadonlySet<string> = new Set(['PubmedArticleSet', 'PubmedBookArticleSet']);
/** Roots of other E-utility replies, which are read for their `ERROR` only: `eFetchResult`, `eSearchResult`, … */
const REPLY_ROOT = /^(ERROR|e[A-Z][A-Za-z]+Result)$/;

/** What a document of PubMed holds. */
export interface ParsedPubmed {
  readonly records: readonly LiteratureRecord[];
  /** PMIDs that an update file declares deleted */
  readonly deleted: readonly string[];
}

/** The `id` of the record with a PMID. */
export function recordIdOf(pmid: string): string {
  return `pubmed:${pmid}`;
}

/**
 * Reads what efetch answers for `db=pubmed&retmode=xml`, and the files of the same shape on NLM's FTP site.
 * @param bytes UTF-8 XML
 * @throws `upstream_malformed` for anything that is not a set of PubMed records (a web page, cut-off or broken XML, a
 * record without PMID), never an empty result; `upstream_error` or `upstream_throttled` for an error reply
 */
export function parsePubmedXml(bytes: Uint8Array): ParsedPubmed {
  let root = '';
  const records: LiteratureRecord[] = [];
  const deleted: string[] = [];
  const errors: string[] = [];
  const rootText = readXml(bytes, {
    skip: SKIPPED,
    root: (name) => {
      if (!RECORD_ROOTS.has(name) && !REPLY_ROOT.test(name)) {
        throw malformed(`a <${name.slice(0, 40)}> document in place of records`);
      }
      root = name;
    },
    child: (element) => {
      if (element.name === 'ERROR') errors.push(textOf(element));
      else if (element.name === 'PubmedArticle') records.push(articleRecord(element));
      else if (element.name === 'PubmedBookArticle') records.push(bookRecord(element));
      else if (element.name === 'DeleteCitation') deleted.push(...deletedIds(element));
    },
  });
  if (root === 'ERROR') errors.push(rootText.trim());
  // an empty ERROR element means nothing
  const said = errors.find((text) => text !== '');
  if (said !== undefined) throw serviceError(said);
  if (!RECORD_ROOTS.has(root)) throw malformed(`a <${root}> document in place of records`);
  return { records, deleted };
}

function deletedIds(element: XmlElement): string[] {
  return childrenOf(element, 'PMID')
    .map(textOf)
    .filter((pmid) => pmid !== '');
}
