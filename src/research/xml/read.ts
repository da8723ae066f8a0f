import { SaxesParser } from 'saxes';
import type { SaxesTagPlain } from 'saxes';
import { TabmeshError } from '../../lib/errors.ts';
import type { XmlElement } from './element.ts';

/** Deepest nesting accepted; PubMed's own records (MathML included) stay below 30. */
const MAX_DEPTH = 200;
/** Text directly in the root is only of use as an error message. */
const MAX_ROOT_TEXT_CHARS = 2_000;

/** What a caller of {@link readXml} wants to see of a document. */
export interface XmlVisitor {
  /** the root's name; throw here to refuse the document before the rest is read */
  root(name: string): void;
  /** each element directly below the root, complete; it is not kept afterwards */
  child(element: XmlElement): void;
  /** names of elements whose subtree is passed over, e.g. long reference lists */
  readonly skip: ReadonlySet<string>;
}

interface OpenElement extends XmlElement {
  readonly children: (XmlElement | string)[];
}

/**
 * Reads a UTF-8 XML document as a stream of the root's child elements, so that a large answer is held one record at a
 * time. The document type is never fetched, and one with an internal subset (entity declarations) is refused, which rules
 * out entity expansion and external entities.
 * @returns the text that stands directly in the root, at most {@link MAX_ROOT_TEXT_CHARS} characters
 * @throws `upstream_malformed` for whatever is not well-formed XML within these limits; what the visitor throws
 */
export function readXml(bytes: Uint8Array, visitor: XmlVisitor): string {
  const reader = new Reader(visitor);
  try {
    // fatal: a wrong encoding must not slip through as replacement characters
    reader.read(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (thrown) {
    if (thrown instanceof TabmeshError) throw thrown;
    throw malformedXml(thrown instanceof Error ? thrown.message : String(thrown), thrown);
  }
  return reader.rootText;
}

class Reader {
  rootText = '';
  readonly #visitor: XmlVisitor;
  /** open elements below the root, the innermost last */
  readonly #open: OpenElement[] = [];
  #depth = 0;
  /** depth at which a skipped subtree began, 0 when none is open */
  #skipFrom = 0;

  constructor(visitor: XmlVisitor) {
    this.#visitor = visitor;
  }

  read(text: string): void {
    const parser = new SaxesParser();
    parser.on('xmldecl', ({ encoding }) => {
      if (encoding !== undefined && !/^(utf-?8|us-ascii)$/i.test(encoding)) {
        throw malformedXml(`encoding ${encoding.slice(0, 20)} in place of UTF-8`);
      }
    });
    parser.on('doctype', (doctype) => {
      if (doctype.includes('[')) throw malformedXml('it declares entities of its own');
    });
    parser.on('opentag', (tag) => {
      this.#onOpen(tag);
    });
    parser.on('closetag', () => {
      this.#onClose();
    });
    parser.on('text', (chunk) => {
      this.#onText(chunk);
    });
    parser.on('cdata', (chunk) => {
      this.#onText(chunk);
    });
    parser.write(text).close();
  }

  #onOpen(tag: SaxesTagPlain): void {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw malformedXml(`elements nested more than ${MAX_DEPTH} deep`);
    if (this.#depth === 1) {
      this.#visitor.root(tag.name);
      return;
    }
    if (this.#skipFrom > 0) return;
    if (this.#visitor.skip.has(tag.name)) {
      this.#skipFrom = this.#depth;
      return;
    }
    const element: OpenElement = { name: tag.name, attributes: tag.attributes, children: [] };
    this.#open.at(-1)?.children.push(element);
    this.#open.push(element);
  }

  #onClose(): void {
    const closing = this.#depth;
    this.#depth -= 1;
    if (this.#skipFrom > 0) {
      if (closing === this.#skipFrom) this.#skipFrom = 0;
      return;
    }
    const element = this.#open.pop();
    if (element !== undefined && this.#open.length === 0) this.#visitor.child(element);
  }

  #onText(chunk: string): void {
    if (this.#skipFrom > 0) return;
    const parent = this.#open.at(-1);
    if (parent !== undefined) parent.children.push(chunk);
    else if (this.#depth === 1) this.rootText = (this.rootText + chunk).slice(0, MAX_ROOT_TEXT_CHARS);
  }
}

function malformedXml(why: string, cause?: unknown): TabmeshError {
  return new TabmeshError('upstream_malformed', `the answer is not usable XML: ${why.slice(0, 200)}`, {
    hint: 'The service may be in maintenance, or something between you and it changed the answer. Try again later.',
    retryable: true,
    cause,
  });
}
