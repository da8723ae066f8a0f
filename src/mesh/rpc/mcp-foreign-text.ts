import { HIDDEN_CHARACTER } from '../../lib/hidden-text.ts';
import { isObject } from './mcp-wire.ts';

/** Longest description that another peer's tool is shown with, in characters: a paragraph, not a page of instructions. */
const MAX_DESCRIPTION = 1_024;
/** Longest text inside a schema. */
const MAX_SCHEMA_TEXT = 512;
/** A schema that nests deeper is shown without its words. */
const MAX_DEPTH = 32;

const HIDDEN = new RegExp(HIDDEN_CHARACTER, 'gu');

/** A text of somebody else as it may be shown: without hidden characters, and cut. */
export function plainText(text: string, max = MAX_DESCRIPTION): string {
  const plain = text.normalize('NFC').replace(HIDDEN, '');
  return plain.length <= max ? plain : `${plain.slice(0, max - 1)}…`;
}

/** The description of another peer's tool, marked as what it is. */
export function foreignDescription(description: string, peer: string): string {
  return plainText(`[Described by the peer “${plainText(peer, 64)}”, not by this relay] ${description}`);
}

/** A JSON Schema of somebody else, with every title and description in it as {@link plainText}. */
export function plainSchema(schema: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return clean(schema, 0) as Readonly<Record<string, unknown>>;
}

/** What in a schema is written for readers. */
const WORDS: ReadonlySet<string> = new Set(['title', 'description', '$comment']);

function clean(value: unknown, depth: number): unknown {
  if (Array.isArray(value)) return value.map((item) => clean(item, depth + 1));
  if (!isObject(value)) return value;
  const entries = Object.entries(value).flatMap(([key, inner]): [string, unknown][] => {
    if (WORDS.has(key) && typeof inner === 'string') {
      return depth > MAX_DEPTH ? [] : [[key, plainText(inner, MAX_SCHEMA_TEXT)]];
    }
    return [[key, clean(inner, depth + 1)]];
  });
  return Object.fromEntries(entries);
}
