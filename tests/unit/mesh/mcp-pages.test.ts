import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPage } from '../../../src/mesh/rpc/mcp-pages.ts';

const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 20 }), { maxLength: 60 }).map((all) => all.sort());

/** Reads every page; what is listed may change between two of them. */
function readAll(lists: (page: number) => readonly string[], size: number): string[] {
  const seen: string[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < 100; page++) {
    const { items, next } = readPage(lists(page), (name) => name, cursor, size);
    seen.push(...items);
    cursor = next.nextCursor;
    if (cursor === undefined) return seen;
  }
  throw new Error('the pages do not end');
}

describe('paging', () => {
  it('gives every item once, in order', () => {
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: 10 }), (all, size) => {
        expect(readAll(() => all, size)).toEqual(all);
      }),
    );
  });

  it('neither repeats nor leaves out what stays, when others come and go meanwhile', () => {
    fc.assert(
      fc.property(names, names, names, fc.integer({ min: 1, max: 10 }), (stay, come, go, size) => {
        const before = [...new Set([...stay, ...go])].sort();
        const after = [...new Set([...stay, ...come])].sort();
        const seen = readAll((page) => (page === 0 ? before : after), size);
        expect(new Set(seen).size).toBe(seen.length);
        expect(stay.filter((name) => !seen.includes(name))).toEqual([]);
      }),
    );
  });

  it('refuses a cursor that is not one of its own', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.integer(), fc.constant(null)), (cursor) => {
        expect(() => readPage(['a'], (name) => name, cursor, 1)).toThrow(/cursor/);
      }),
    );
  });
});
