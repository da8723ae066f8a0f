import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TabmeshError } from '../../../src/lib/errors.ts';
import { MAX_ARGUMENT_BYTES } from '../../../src/tools/limits.ts';
import { checkArgumentsSize, validateAnswer, validateArguments } from '../../../src/tools/validate.ts';
import * as z from '../../../src/tools/zod.ts';
import { failure, failureCode } from '../../support/tools.ts';

const schema = z.strictObject({
  query: z.string().check(z.trim(), z.minLength(1), z.maxLength(5)),
  max_results: z._default(z.int().check(z.gte(1), z.lte(10)), 5),
  kind: z.optional(z.enum(['article', 'book'])),
  cid: z.optional(z.string().check(z.regex(/^b/, { error: 'expected a CID' }))),
  parts: z.optional(z.array(z.strictObject({ size: z.number() })).check(z.minLength(1))),
  year: z.optional(z.union([z.int(), z.null()])),
});

const refusal = (args: unknown) => failure(() => validateArguments('find', schema, args));

describe('validateArguments', () => {
  it('fills in defaults and trims', () => {
    expect(validateArguments('find', schema, { query: ' a ' })).toEqual({ query: 'a', max_results: 5 });
  });

  it.each([
    [{}, 'query', 'is required: expected text'],
    [{ query: '  ' }, 'query', 'expected at least 1 character, got an empty text'],
    [{ query: 'abcdef' }, 'query', 'expected at most 5 characters, got 6'],
    [{ query: 5 }, 'query', 'expected text, got 5'],
    [{ query: 'a', max_results: -1 }, 'max_results', 'expected at least 1, got -1'],
    [{ query: 'a', max_results: 11 }, 'max_results', 'expected at most 10, got 11'],
    [{ query: 'a', max_results: 1.5 }, 'max_results', 'expected a whole number, got 1.5'],
    [{ query: 'a', max_results: null }, 'max_results', 'expected a number, got null'],
    [{ query: 'a', kind: 'film' }, 'kind', 'expected one of "article", "book", got "film"'],
    [{ query: 'a', cid: 'zz' }, 'cid', 'expected a CID, got "zz"'],
    [{ query: 'a', parts: [] }, 'parts', 'expected at least 1 item, got 0'],
    [{ query: 'a', parts: {} }, 'parts', 'expected a list, got an object'],
    [{ query: 'a', parts: [{ size: 1 }, { size: 'x' }] }, 'parts[1].size', 'expected a number, got "x"'],
    [{ query: 'a', parts: [{ size: 1, more: 1 }] }, 'parts[0].more', 'is not a known field'],
    [{ query: 'a', year: 'x' }, 'year', 'expected a number or null, got "x"'],
    [[], '', 'expected an object, got a list'],
    ['text', '', 'expected an object, got "text"'],
  ])('explains %j', async (args, path, message) => {
    const error = await refusal(args);
    expect(error.code).toBe('invalid_input');
    expect(error.details['issues']).toEqual([{ path, message }]);
    expect(error.message).toBe(`find: ${path === '' ? 'the arguments' : path}: ${message}`);
  });

  it('names each unknown field and the fields there are', async () => {
    const error = await refusal({ query: 'a', querry: 'b' });
    expect(error.message).toBe(
      'find: querry: is not a known field; the fields are query, max_results, kind, cid, parts, year',
    );
    expect(error.hint).toContain('query, max_results (optional)');
  });

  it('takes no arguments for an empty object, and says so when a tool has none', async () => {
    const none = z.strictObject({});
    expect(validateArguments('list', none, undefined)).toEqual({});
    const error = await failure(() => validateArguments('list', none, { a: 1 }));
    expect(error.message).toBe('list: a: is not a known field; there are no fields');
  });

  it('spells out a few of many issues', async () => {
    const keys = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${String(i)}`, 1]));
    const error = await refusal({ query: 'a', ...keys });
    expect(error.message).toMatch(/; and 47 more$/);
    expect(error.details['issues']).toHaveLength(10);
  });

  it('accepts, or refuses with at least one issue, and the refusal is JSON (any JSON)', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (args) => {
        try {
          validateArguments('find', schema, args);
        } catch (error) {
          if (!(error instanceof TabmeshError)) throw error;
          expect(error.code).toBe('invalid_input');
          expect(error.details['issues']).not.toHaveLength(0);
          expect(JSON.parse(JSON.stringify(error.toWire()))).toEqual(error.toWire());
        }
      }),
    );
  });

  it('does not let a key named __proto__ pass', async () => {
    const args: unknown = JSON.parse('{"query":"a","__proto__":{"max_results":1}}');
    expect((await refusal(args)).message).toContain('__proto__');
  });
});

describe('checkArgumentsSize', () => {
  it('takes exactly the limit and not a byte more, counted as UTF-8', async () => {
    const frame = JSON.stringify({ t: '' }).length;
    checkArgumentsSize('find', { t: 'a'.repeat(MAX_ARGUMENT_BYTES - frame) });
    const over = () => {
      checkArgumentsSize('find', { t: 'a'.repeat(MAX_ARGUMENT_BYTES - frame + 1) });
    };
    expect(await failureCode(over)).toBe('payload_too_large');
    const wide = () => {
      checkArgumentsSize('find', { t: 'é'.repeat(MAX_ARGUMENT_BYTES / 2) });
    };
    expect(await failureCode(wide)).toBe('payload_too_large');
  });

  it('refuses what has no JSON form', async () => {
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    for (const args of [loop, { big: 1n }]) {
      expect(
        await failureCode(() => {
          checkArgumentsSize('find', args);
        }),
      ).toBe('invalid_input');
    }
  });
});

describe('validateAnswer', () => {
  it('refuses an answer with a field too many or of the wrong type', async () => {
    const output = z.strictObject({ count: z.int() });
    expect(validateAnswer('find', output, { count: 1 })).toEqual({ count: 1 });
    const error = await failure(() => validateAnswer('find', output, { count: 'x', extra: 1 }));
    expect(error.code).toBe('invalid_output');
    expect(error.message).toContain('count: expected a number, got "x"');
    expect(error.message).toContain('extra: is not a known field');
  });

  it('says that an answer is missing', async () => {
    const error = await failure(() => validateAnswer('find', z.strictObject({}), undefined));
    expect(error.details['issues']).toEqual([{ path: '', message: 'is required: expected an object' }]);
  });
});
