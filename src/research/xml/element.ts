/** A small, read-only element tree: just what is needed to walk one record of a large document. */
export interface XmlElement {
  /** qualified name as written, e.g. `AbstractText` or `mml:math` */
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly (XmlElement | string)[];
}

/**
 * The child elements called `name`, in document order.
 * @param parent may be undefined, so that optional levels chain
 */
export function childrenOf(parent: XmlElement | undefined, name: string): XmlElement[] {
  const found: XmlElement[] = [];
  for (const child of parent?.children ?? []) {
    if (typeof child !== 'string' && child.name === name) found.push(child);
  }
  return found;
}

/** The first element below `parent` along a path of child names. */
export function childAt(parent: XmlElement | undefined, ...path: readonly string[]): XmlElement | undefined {
  let at = parent;
  for (const name of path) at = childrenOf(at, name)[0];
  return at;
}

/**
 * All text below `element`, markup removed, runs of white space collapsed to one space, ends trimmed. Inline markup adds
 * no space (`<sup>99m</sup>Tc` is `99mTc`) and text after a tag is kept.
 * @returns an empty string for an absent or empty element
 */
export function textOf(element: XmlElement | undefined): string {
  return element === undefined ? '' : collapse(rawTextOf(element));
}

/** As {@link textOf}, with null for nothing. */
export function textOrNull(element: XmlElement | undefined): string | null {
  return textOf(element) || null;
}

/** Runs of white space (no-break and thin spaces too) become one space; the ends are trimmed. */
export function collapse(text: string): string {
  return text.replace(/\s+/gu, ' ').trim();
}

// the reader bounds the depth of a tree, so recursion is safe here
function rawTextOf(element: XmlElement): string {
  return element.children.map((child) => (typeof child === 'string' ? child : rawTextOf(child))).join('');
}
