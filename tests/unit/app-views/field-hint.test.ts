import { describe, expect, it } from 'vitest';
import type { RoomTool } from '../../../src/contracts/tools.ts';
import { fieldHint } from '../../../src/app/tools/field-hint.ts';
import { readField } from '../../../src/app/tools/schema-field.ts';
import { upperBound } from '../../../src/app/tools/tool-bounds.ts';

describe('fieldHint', () => {
  it.each([
    [
      { type: 'integer', minimum: 1, maximum: 10_000, default: 100, description: 'records at most' },
      'Records at most. A whole number from 1 to 10,000. When empty: 100.',
    ],
    [{ type: 'number', minimum: 0.5 }, 'A number, at least 0.5.'],
    [{ type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }, undefined],
    [{ type: 'array' }, 'JSON: a list, such as ["a", "b"].'],
    [{ type: 'string' }, undefined],
  ])('%o', (schema, hint) => {
    expect(fieldHint(readField('n', schema, false))).toBe(hint);
  });
});

describe('upperBound', () => {
  const tool = {
    metadata: {
      name: 'search_index',
      inputSchema: { properties: { top_k: { type: 'integer', maximum: 50 }, q: true } },
    },
  } as unknown as RoomTool;

  it('is what the tool says, else the fallback', () => {
    expect(upperBound([tool], 'search_index', 'top_k', 100)).toBe(50);
    expect(upperBound([tool], 'search_index', 'q', 100)).toBe(100);
    expect(upperBound([tool], 'search_index', 'none', 100)).toBe(100);
    expect(upperBound([], 'search_index', 'top_k', 100)).toBe(100);
  });
});
