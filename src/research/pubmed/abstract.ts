import type { AbstractSection } from '../../contracts/records.ts';
import { childrenOf, collapse, textOf } from '../xml/element.ts';
import type { XmlElement } from '../xml/element.ts';

/** NLM's label for a part of a structured abstract that has no heading. */
const NO_LABEL = 'UNLABELLED';

/** The sections of an `Abstract` that have text, with their headings. The copyright line is not part of it. */
export function readAbstract(abstract: XmlElement | undefined): AbstractSection[] {
  return childrenOf(abstract, 'AbstractText').flatMap((section) => {
    const text = textOf(section);
    const label = collapse(section.attributes['Label'] ?? '');
    return text === '' ? [] : [{ label: label === '' || label === NO_LABEL ? null : label, text }];
  });
}
