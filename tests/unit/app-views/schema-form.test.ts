import { CfWorkerJsonSchemaValidator } from '@modelcontextprotocol/client/validators/cf-worker';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../../src/contracts/workflow.ts';
import { checkSchema } from '../../../src/app/tools/schema-check.ts';
import { makeForm, readForm, startState } from '../../../src/app/tools/schema-form.ts';
import type { JsonSchema } from '../../../src/app/tools/schema-field.ts';

const collect: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['query'],
  properties: {
    query: { type: 'string', minLength: 1, maxLength: 2000, description: 'PubMed query' },
    max_results: { type: 'integer', minimum: 1, maximum: 10000, default: 100 },
    mode: { enum: ['fast', 'thorough'], default: 'fast' },
    dryRun: { type: 'boolean' },
    note: { anyOf: [{ type: 'string' }, { type: 'null' }] },
    tags: { type: 'array', items: { type: 'string' } },
  },
};

const text = (value: string) => ({ text: value, isNull: false });
const noCheck = () => null;

function errorsOf(schema: JsonSchema, fields: Record<string, string>) {
  const form = makeForm(schema);
  const states = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, text(value)]));
  const start = startState(form);
  const read = readForm(form, { ...start, fields: { ...start.fields, ...states } }, checkSchema);
  return read.ok ? {} : read.errors;
}

describe('makeForm', () => {
  it('knows kinds, labels, bounds, defaults, null and what is required', () => {
    const fields = makeForm(collect).fields ?? [];
    expect(fields.map((field) => [field.label, field.kind.type, field.required, field.nullable])).toEqual([
      ['Query', 'text', true, false],
      ['Max results', 'number', false, false],
      ['Mode', 'choice', false, false],
      ['Dry run', 'boolean', false, false],
      ['Note', 'text', false, true],
      ['Tags', 'json', false, false],
    ]);
    expect(fields[1]?.kind).toEqual({ type: 'number', integer: true, minimum: 1, maximum: 10000 });
  });

  it('takes the whole arguments as JSON where the schema is not a plain object', () => {
    expect(makeForm({ anyOf: [{ type: 'object' }, { type: 'object' }] }).fields).toBeNull();
    expect(makeForm({ type: 'object' }).fields).toBeNull();
    expect(makeForm({ type: 'object', additionalProperties: false }).fields).toEqual([]);
  });

  it('follows references into $defs', () => {
    const schema = {
      type: 'object',
      properties: { size: { $ref: '#/$defs/size', title: 'How big' } },
      $defs: { size: { type: 'integer', minimum: 3 } },
    };
    expect(makeForm(schema).fields?.[0]).toMatchObject({ label: 'How big', kind: { type: 'number', minimum: 3 } });
    expect(errorsOf(schema, { size: '2' })).toEqual({ size: 'At least 3.' });
  });
});

describe('readForm', () => {
  it('gives defaults, leaves out what is empty', () => {
    const form = makeForm(collect);
    const start = startState(form);
    const state = { ...start, fields: { ...start.fields, query: text('sleep') } };
    expect(readForm(form, state, checkSchema)).toEqual({
      ok: true,
      args: { query: 'sleep', max_results: 100, mode: 'fast' },
    });
  });

  it.each([
    [{}, { query: 'Required.' }],
    [{ query: 'x', max_results: '-1' }, { max_results: 'At least 1.' }],
    [{ query: 'x', max_results: '10001' }, { max_results: 'At most 10000.' }],
    [{ query: 'x', max_results: '1.5' }, { max_results: 'A whole number is needed.' }],
    [{ query: 'x', max_results: '0x10' }, { max_results: 'Not a number.' }],
    [{ query: 'x', mode: '"slow"' }, { mode: 'Choose one of the list.' }],
    [{ query: 'x'.repeat(2001) }, { query: 'At most 2000 characters; these are 2001.' }],
  ])('refuses %o', (fields, errors) => {
    expect(errorsOf(collect, fields)).toEqual(errors);
  });

  it('says where JSON text does not parse, and what it expects', () => {
    expect(errorsOf(collect, { query: 'x', tags: '["a"' })['tags']).toMatch(/^Not valid JSON .*Expected a list/);
    expect(errorsOf(collect, { query: 'x', tags: '[1]' })['tags']).toBeTruthy();
  });

  it('sends null only where it may be sent', () => {
    const form = makeForm(collect);
    const { fields, whole } = startState(form);
    const nulls = { ...fields, query: { text: 'x', isNull: true }, note: { text: 'y', isNull: true } };
    expect(readForm(form, { fields: nulls, whole }, checkSchema)).toMatchObject({ args: { query: 'x', note: null } });
  });

  it('tells an error of the whole apart from those of fields', () => {
    const form = makeForm({ ...collect, minProperties: 4 });
    const start = startState(form);
    const state = { ...start, fields: { ...start.fields, query: text('sleep') } };
    expect(readForm(form, state, checkSchema)).toMatchObject({ ok: false, errors: {}, general: expect.any(String) });
    expect(readForm(makeForm({ type: 'object' }), { fields: {}, whole: '{' }, checkSchema)).toMatchObject({
      ok: false,
    });
  });
});

interface Property {
  readonly schema: JsonSchema;
  readonly required: boolean;
  readonly value: Json;
}

const bounded = fc.tuple(
  fc.integer({ min: -1000, max: 1000 }),
  fc.nat(1000),
  fc.double({ min: 0, max: 1, noNaN: true }),
);
const base: fc.Arbitrary<{ schema: JsonSchema; value: Json }> = fc.oneof(
  fc.tuple(fc.string({ maxLength: 20, unit: 'grapheme' }), fc.nat(3), fc.nat(3)).map(([value, under, over]) => {
    const { length } = Array.from(value);
    return {
      schema: { type: 'string', minLength: Math.max(0, length - under), maxLength: length + over },
      value,
    };
  }),
  bounded.map(([minimum, span, part]) => ({
    schema: { type: 'integer', minimum, maximum: minimum + span },
    value: minimum + Math.floor(span * part),
  })),
  bounded.map(([minimum, span, part]) => ({
    schema: { type: 'number', minimum, maximum: minimum + span },
    value: Math.min(minimum + span, minimum + span * part),
  })),
  fc.boolean().map((value) => ({ schema: { type: 'boolean' }, value })),
  fc
    .uniqueArray(fc.oneof(fc.string(), fc.integer()), { minLength: 1, maxLength: 5 })
    .map((options) => ({ schema: { enum: options }, value: options[0] ?? null })),
  fc.array(fc.integer(), { maxLength: 4 }).map((value) => ({
    schema: { type: 'array', items: { type: 'integer' } },
    value,
  })),
);
const property: fc.Arbitrary<Property> = fc
  .tuple(base, fc.boolean(), fc.boolean(), fc.boolean())
  .map(([{ schema, value }, required, nullable, isNull]) => ({
    schema: nullable ? { anyOf: [schema, { type: 'null' }] } : schema,
    required,
    value: nullable && isNull ? null : value,
  }));
const properties = fc.dictionary(fc.stringMatching(/^[a-z][a-z_]{0,8}$/), property, {
  maxKeys: 5,
  noNullPrototype: true,
});

function schemaOf(all: Readonly<Record<string, Property>>): JsonSchema {
  return {
    type: 'object',
    additionalProperties: false,
    required: Object.keys(all).filter((name) => all[name]?.required),
    properties: Object.fromEntries(Object.entries(all).map(([name, { schema }]) => [name, schema])),
  };
}

describe('a form over any schema', () => {
  it('gives back the arguments it was started with', () => {
    fc.assert(
      fc.property(properties, (all) => {
        const form = makeForm(schemaOf(all));
        const args = Object.fromEntries(Object.entries(all).map(([name, { value }]) => [name, value]));
        const read = readForm(form, startState(form, args), checkSchema);
        // an empty optional text cannot be told from one left out
        const sent = Object.entries(args).filter(
          ([name, value]) => value !== '' || (all[name]?.required ?? false) || choice(all[name]),
        );
        expect(read).toEqual({ ok: true, args: Object.fromEntries(sent) });
      }),
    );
  });

  it('gives only arguments that fit the schema, whatever is typed, by its own checks alone', () => {
    const typed = fc.oneof(
      fc.string(),
      fc.constantFrom('', '1', '-1', '1e400', '.5', 'true', '[]', '"a"', 'null', ' 7 '),
    );
    const simple = properties.map((all) =>
      Object.fromEntries(Object.entries(all).filter(([, { schema }]) => !JSON.stringify(schema).includes('"array"'))),
    );
    fc.assert(
      fc.property(simple, fc.array(fc.tuple(typed, fc.boolean()), { minLength: 5, maxLength: 5 }), (all, states) => {
        const form = makeForm(schemaOf(all));
        const fields = Object.fromEntries(
          Object.keys(all).map((name, i) => [name, { text: states[i]?.[0] ?? '', isNull: states[i]?.[1] ?? false }]),
        );
        const read = readForm(form, { fields, whole: '' }, noCheck);
        if (!read.ok) return;
        const validate = new CfWorkerJsonSchemaValidator().getValidator(schemaOf(all));
        expect(validate(read.args)).toMatchObject({ valid: true });
      }),
      { numRuns: 300 },
    );
  });
});

function choice(each: Property | undefined): boolean {
  return each !== undefined && JSON.stringify(each.schema).includes('"enum"');
}
