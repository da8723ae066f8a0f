import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../../src/contracts/workflow.ts';
import { placeholdersIn, substitute, type PlaceholderScope } from '../../../src/workflow/placeholders.ts';
import { id, RUN } from './support.ts';

const STARTED = '2024-01-01T00:00:00.000Z';

function scope(inputs: Json, results: Readonly<Record<string, Json>> = {}): PlaceholderScope {
  const entries = Object.entries(results).map(([key, value]) => [id(key), value] as const);
  return { inputs, run: { id: RUN, started_at: STARTED }, results: new Map(entries) };
}

const anyJson = fc.jsonValue({ noUnicodeString: false }) as fc.Arbitrary<Json>;

describe('substitution', () => {
  it('puts in any value as it is, wherever the placeholder stands', () => {
    fc.assert(
      fc.property(anyJson, (value) => {
        const template = { a: ['${inputs.it}', { b: '${steps.s.result}' }], c: '${steps.s.result.deep.it}' };
        const given = scope({ it: value }, { s: { deep: { it: value } } });
        expect(substitute(template, given)).toEqual({ a: [value, { b: { deep: { it: value } } }], c: value });
      }),
    );
  });

  it('never looks at what it put in', () => {
    const sneaky = { text: '${run.id}', list: ['${steps.secret.result}'] };
    expect(substitute('${inputs}', scope(sneaky, { secret: 'x' }))).toEqual(sneaky);
    expect(substitute('${inputs.text}', scope(sneaky))).toBe('${run.id}');
  });

  it('leaves everything else alone: keys, and text that only mentions a placeholder', () => {
    const template = { '${run.id}': 1, a: 'id: ${run.id}', b: '${run.id} ', c: '$run.id', d: '${{run.id}}', e: null };
    expect(substitute(template, scope({}))).toEqual(template);
    expect(placeholdersIn(template)).toEqual([]);
  });

  it('knows the run, lists and their length', () => {
    expect(substitute(['${run.id}', '${run.started_at}'], scope({}))).toEqual([RUN, STARTED]);
    const list = scope({ list: ['a', { b: 'c' }] });
    expect(substitute(['${inputs.list.1.b}', '${inputs.list.length}'], list)).toEqual(['c', 2]);
  });

  it.each([
    '${inputs.absent}',
    '${inputs.text.length}',
    '${inputs.toString}',
    '${inputs.__proto__}',
    '${inputs.list.2}',
    '${inputs.list.map}',
    '${steps.absent.result}',
    '${inputs.nothing.below}',
  ])('fails for %s, which has no value', (text) => {
    const given = scope({ text: 'abc', list: [1, 2], nothing: null });
    expect(() => substitute(text, given)).toThrow(
      expect.objectContaining({ code: 'invalid_input', message: expect.stringContaining(text) as unknown }),
    );
  });

  it.each([
    '${}',
    '${input.x}',
    '${inputs.}',
    '${inputs..x}',
    '${run}',
    '${run.secret}',
    '${run.id.x}',
    '${steps}',
    '${steps.a}',
    '${steps.a.inputs}',
    '${ run.id }',
  ])('refuses %s, which can name nothing', (text) => {
    expect(() => placeholdersIn(text)).toThrow(expect.objectContaining({ code: 'invalid_input' }));
    expect(() => substitute(text, scope({}))).toThrow(expect.objectContaining({ code: 'invalid_input' }));
  });
});

describe('the placeholders of a template', () => {
  it('are told with the step they name', () => {
    expect(placeholdersIn({ a: ['${steps.x.result.y}'], b: { c: '${inputs.z}' }, d: 1 })).toEqual([
      { text: '${steps.x.result.y}', step: 'x' },
      { text: '${inputs.z}', step: null },
    ]);
  });
});
