import { describe, expect, it } from 'vitest';
import type { Json } from '../../../src/contracts/workflow.ts';
import { checkInputs, checkSchema } from '../../../src/workflow/schema.ts';
import { collectLiterature } from '../../../src/workflow/templates/collect-literature.ts';

function problem(inputs: Json, schema: Readonly<Record<string, unknown>> = collectLiterature.inputSchema): string {
  try {
    checkInputs(inputs, schema);
    return '';
  } catch (error) {
    expect(error).toMatchObject({ code: 'invalid_input' });
    return (error as Error).message;
  }
}

describe('the inputs of a run', () => {
  it.each<[Json, string]>([
    [{ query: 'sleep', max_results: 10 }, ''],
    [{ query: '', max_results: 10 }, 'inputs.query is shorter than 1 characters'],
    [{ query: 'x'.repeat(2_001), max_results: 10 }, 'inputs.query is longer than 2000 characters'],
    [{ query: 'sleep', max_results: -1 }, 'inputs.max_results is below 1'],
    [{ query: 'sleep', max_results: 10_001 }, 'inputs.max_results is above 10000'],
    [{ query: 'sleep', max_results: 1.5 }, 'inputs.max_results is not of type integer'],
    [{ query: 7, max_results: 1 }, 'inputs.query is not of type string'],
    [{ query: 'sleep' }, 'inputs.max_results is missing'],
    [{ query: 'sleep', max_results: 1, extra: 1 }, 'inputs has an unknown field "extra"'],
    [[], 'inputs is not of type object'],
    [null, 'inputs is not of type object'],
  ])('%j: "%s"', (inputs, expected) => {
    expect(problem(inputs)).toBe(expected);
  });

  it('are checked in lists, and against a set of values', () => {
    const schema = { type: 'array', items: { type: 'string', enum: ['a', 'b'] } };
    expect(problem(['a', 'b'], schema)).toBe('');
    expect(problem(['a', 'c'], schema)).toBe('inputs[1] is none of ["a","b"]');
  });

  it('count characters as JSON Schema does', () => {
    expect(problem('😀😀', { type: 'string', maxLength: 2 })).toBe('');
    expect(problem('😀😀😀', { type: 'string', maxLength: 2 })).not.toBe('');
  });
});

describe('a schema', () => {
  it.each([{ pattern: 'a' }, { type: 'bigint' }, { properties: { a: { oneOf: [] } } }, { items: { $ref: '#' } }])(
    'that would be ignored in part is refused: %j',
    (schema) => {
      expect(() => {
        checkSchema(schema);
      }).toThrow(expect.objectContaining({ code: 'invalid_input' }));
    },
  );
});
