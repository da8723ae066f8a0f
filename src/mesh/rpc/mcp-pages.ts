import { RPC_CODES } from './json-rpc.ts';
import { mcpError } from './mcp-error.ts';

/** What a cursor holds, so that any other text is told from one. */
const PREFIX = 'after:';
/** No name that a cursor could hold is longer. */
const MAX_CURSOR = 4_096;

/** A page, and what to ask with for the next one. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: { readonly nextCursor?: string };
}

/**
 * A page of a list that is sorted by name. The cursor says after which name to go on, so that a list that changes between two
 * pages neither repeats nor leaves out what stayed. It is opaque to clients.
 * @param cursor as the client sent it; undefined for the first page
 * @throws `invalid_input` (−32602) for a cursor that is not one of ours
 */
export function readPage<T>(items: readonly T[], nameOf: (item: T) => string, cursor: unknown, size: number): Page<T> {
  const after = cursor === undefined ? null : readCursor(cursor);
  const rest = after === null ? items : items.filter((item) => nameOf(item) > after);
  const page = rest.slice(0, size);
  const last = page.at(-1);
  const more = last !== undefined && page.length < rest.length;
  return { items: page, next: more ? { nextCursor: cursorAfter(nameOf(last)) } : {} };
}

/** The cursor that goes on after a name. */
export function cursorAfter(name: string): string {
  return encodeURIComponent(btoa(String.fromCodePoint(...new TextEncoder().encode(PREFIX + name))));
}

function readCursor(cursor: unknown): string {
  try {
    if (typeof cursor === 'string' && cursor.length <= MAX_CURSOR) {
      const bytes = Uint8Array.from(atob(decodeURIComponent(cursor)), (char) => char.codePointAt(0) ?? 0);
      const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      if (text.startsWith(PREFIX)) return text.slice(PREFIX.length);
    }
  } catch {
    // undecodable and "not ours" are the same answer
  }
  throw mcpError(RPC_CODES.invalidParams, 'that cursor is not one of this list');
}
