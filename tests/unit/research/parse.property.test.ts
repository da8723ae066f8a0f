import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TabmeshError } from '../../../src/lib/errors.ts';
import { parsePubmedXml } from '../../../src/research/pubmed/parse.ts';
import { readServed } from '../../support/upstream-routes.ts';

const TAGS = ['i', 'b', 'sub', 'sup', 'u', 'mml:math', 'mml:mi', 'DispFormula'];

/** Mixed content as XML; what it reads as is told by stripping the tags, naively. */
const mixedContent = fc.letrec<{ node: string; nodes: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'grapheme', maxLength: 12 }).map(escapeText),
    fc.constantFrom(' ', '\n\t ', '\u00a0', '\u2009'),
    fc.tuple(fc.constantFrom(...TAGS), tie('nodes')).map(([tag, inner]) => `<${tag}>${inner}</${tag}>`),
  ),
  nodes: fc.array(tie('node'), { maxLength: 5 }).map((parts) => parts.join('')),
})).nodes;

/** XML has no way to write most control characters and lone surrogates. */
function escapeText(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\t\n\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
    .replace(/[&<>]/g, (char) => `&#${char.charCodeAt(0)};`);
}

function naivelyStripped(xml: string): string {
  return xml
    .replace(/<[^>]*>/g, '')
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replace(/\s+/g, ' ')
    .trim();
}

function recordWith(title: string, abstract: string): Uint8Array {
  return new TextEncoder().encode(
    `<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>1</PMID><Article><ArticleTitle>${title}</ArticleTitle>` +
      `<Abstract><AbstractText>${abstract}</AbstractText></Abstract></Article></MedlineCitation></PubmedArticle></PubmedArticleSet>`,
  );
}

describe('the text of mixed content', () => {
  it('equals the naively tag-stripped text', () => {
    fc.assert(
      fc.property(mixedContent, mixedContent, (title, abstract) => {
        const record = parsePubmedXml(recordWith(title, abstract)).records[0];
        expect(record?.title).toBe(naivelyStripped(title));
        expect(record?.abstract.map(({ text }) => text).join()).toBe(naivelyStripped(abstract));
      }),
    );
  });
});

describe('mutated XML', async () => {
  const original = await readServed('corner-cases.xml');
  const mutation = fc.record({
    at: fc.nat(original.length - 1),
    remove: fc.nat(40),
    insert: fc.oneof(
      fc.uint8Array({ maxLength: 8 }),
      fc
        .constantFrom(
          '<',
          '>',
          '</i>',
          '&',
          '<![CDATA[',
          '<!--',
          '<!DOCTYPE x [',
          '&#0;',
          '&constructor;',
          '<__proto__>',
        )
        .map((text) => new TextEncoder().encode(text)),
    ),
  });

  it('gives records or a TabmeshError that names an upstream failure, nothing else', () => {
    const codes = new Set<string>();
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
        const bytes = mutations.reduce(
          (xml, { at, remove, insert }) => Uint8Array.from([...xml.slice(0, at), ...insert, ...xml.slice(at + remove)]),
          original,
        );
        try {
          parsePubmedXml(bytes);
          codes.add('parsed');
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(TabmeshError);
          const { code } = thrown as TabmeshError;
          expect(code).toMatch(/^upstream_(malformed|error|throttled)$/);
          codes.add(code);
        }
      }),
      { numRuns: 300 },
    );
    expect(codes).toContain('upstream_malformed');
  });
});
