import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, parseStrictJson } from '../../../src/lib/canonical-json.ts';
import { jcsCid } from '../../../src/lib/jcs-cid.ts';
import { failure } from '../../support/tools.ts';

/** Bits of a binary64 number and how RFC 8785, appendix B, has it written. */
const NUMBERS: readonly (readonly [string, string])[] = [
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
];

const numberOf = (bits: string) => new Float64Array(BigUint64Array.of(BigInt(`0x${bits}`)).buffer)[0];

/** RFC 8785, §3.2.2 and §3.2.3. */
const EXAMPLE = `{
  "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
  "string": "\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\"\\/",
  "literals": [null, true, false]
}`;
const EXAMPLE_CANONICAL =
  '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
  '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}';

const SORTED = ['\r', '1', '\u0080', 'ö', '€', '😀', '\ufb33'];

/** Any JSON value, with keys that are hard to sort or to keep. */
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.string({ unit: 'grapheme' }),
    fc.array(tie('value')),
    fc.dictionary(
      fc.oneof(
        fc.string({ unit: 'grapheme', maxLength: 4 }),
        fc.constantFrom('__proto__', 'constructor', '\u007f', '😀'),
      ),
      tie('value'),
    ),
  ),
})).value;

describe('canonicalJson', () => {
  it.each(NUMBERS)('writes the number %s as RFC 8785 appendix B does', (bits, text) => {
    expect(canonicalJson(numberOf(bits))).toBe(text);
  });

  it('writes the example of RFC 8785 §3.2', () => {
    expect(canonicalJson(parseStrictJson(EXAMPLE))).toBe(EXAMPLE_CANONICAL);
  });

  it('sorts keys by UTF-16 code units, as the example of §3.2.3', () => {
    const object = Object.fromEntries([...SORTED].reverse().map((key) => [key, 0]));
    expect(Object.keys(JSON.parse(canonicalJson(object)) as object).sort()).toEqual(SORTED.toSorted());
    expect(canonicalJson(object)).toBe('{"\\r":0,"1":0,"\u0080":0,"ö":0,"€":0,"😀":0,"\ufb33":0}');
  });

  const cyclic: { self?: unknown } = {};
  cyclic.self = [cyclic];
  it.each<[string, unknown, string]>([
    ['NaN', { a: [NaN] }, '$.a[0]'],
    ['an infinity', -Infinity, '$'],
    ['undefined', { a: undefined }, '$.a'],
    ['a hole', [1, , 2], '$[1]'], // eslint-disable-line no-sparse-arrays -- a hole is what is refused
    ['a big integer', 1n, '$'],
    ['a function', { a: () => 1 }, '$.a'],
    ['a symbol', Symbol('a'), '$'],
    ['an object of a class', { at: new Date(0) }, '$.at'],
    ['bytes', new Uint8Array(1), '$'],
    ['a lone surrogate', ['\ud800'], '$[0]'],
    ['a lone surrogate in a key', { '\udc00a': 1 }, '$'],
    ['a cycle', cyclic, '$.self[0]'],
  ])('refuses %s and names the place', async (_what, value, path) => {
    const error = await failure(() => canonicalJson(value));
    expect(error).toMatchObject({ code: 'invalid_input', details: { path } });
  });

  it('takes what only looks like a cycle', () => {
    const twice = { a: 1 };
    expect(canonicalJson([twice, twice])).toBe('[{"a":1},{"a":1}]');
  });

  it('refuses what nests too deep instead of running out of stack', async () => {
    let value: unknown = 0;
    for (let i = 0; i < 100_000; i++) value = [value];
    expect(await failure(() => canonicalJson(value))).toMatchObject({ code: 'invalid_input' });
  });

  it('is stable: reading its form and writing it again changes nothing, whatever the order of keys', () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
        expect(canonicalJson(parseStrictJson(text))).toBe(text);
        expect(canonicalJson(shuffled(value))).toBe(text);
      }),
    );
  });
});

describe('parseStrictJson', () => {
  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(json, fc.constantFrom(0, 2, '\t\n'), (value, space) => {
        const text = JSON.stringify(value, null, space);
        expect(parseStrictJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('reads or refuses any text, and never reads what JSON.parse refuses', () => {
    const parts = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '"',
      '\\',
      'u0041',
      '1',
      '-',
      '.5',
      'e9',
      'null',
      ' ',
      'a',
      '"a":',
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 12 }), (tokens) => {
        const text = tokens.join('');
        let value: unknown;
        try {
          value = parseStrictJson(text);
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid_input' });
          return;
        }
        expect(value).toEqual(JSON.parse(text));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['{"a":1,"a":1}', 'duplicate_key'],
    ['{"a":1,"\\u0061":2}', 'duplicate_key'],
    ['{"__proto__":1,"__proto__":2}', 'duplicate_key'],
    ['"\\ud800"', 'lone_surrogate'],
    ['{"\ud800":1}', 'lone_surrogate'],
    ['9007199254740993', 'inexact_number'],
    ['-90071992547409930000001', 'inexact_number'],
    ['1e999', 'inexact_number'],
    [`1${'0'.repeat(400)}`, 'inexact_number'],
    ['[[[[[]]]]]', 'too_deep'],
    ['{"a":1,"b":2,"c":{"d":4},"e":5}', 'too_many_keys'],
    ['', 'syntax'],
    ['\ufeff1', 'syntax'],
    ['01', 'syntax'],
    ['1.', 'syntax'],
    ['+1', 'syntax'],
    ['"\t"', 'syntax'],
    ['"\\x"', 'syntax'],
    ['[1,]', 'syntax'],
    ['{"a":1,}', 'syntax'],
    ['{a:1}', 'syntax'],
    ["'a'", 'syntax'],
    ['NaN', 'syntax'],
    ['1 2', 'syntax'],
    ['"a', 'syntax'],
  ])('refuses %j: %s', async (text, reason) => {
    const error = await failure(() => parseStrictJson(text, { maxDepth: 4, maxKeys: 4 }));
    expect(error).toMatchObject({ code: 'invalid_input', details: { reason } });
  });

  it.each([
    '9007199254740992',
    '9007199254740994',
    '295147905179352830000',
    '295147905179352825856',
    '1E30',
    '0.1',
    '"\\ud83d\\ude00"',
    '[[[[]]]]',
    '{"a":1,"b":2}',
  ])('takes %j', (text) => {
    expect(parseStrictJson(text, { maxDepth: 4, maxKeys: 4 })).toEqual(JSON.parse(text));
  });

  it('keeps a member named __proto__ a member', () => {
    const read = parseStrictJson('{"__proto__":{"admin":true},"constructor":1}') as Record<string, unknown>;
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect(Object.keys(read)).toEqual(['__proto__', 'constructor']);
    expect(read['admin']).toBeUndefined();
  });

  it('reads a string of many megabytes', () => {
    const text = 'a\\n'.repeat(3_000_000);
    expect(parseStrictJson(`"${text}"`)).toHaveLength(6_000_000);
  });
});

describe('jcsCid', () => {
  it('is a CIDv1 of the canonical bytes, the same for every order of keys', () => {
    expect(jcsCid({})).toBe('bafkreicecnx2gvntm6fbcrvnc336qze6st5u7qq7457igegamd3bzkx7ri');
    expect(jcsCid({ b: 1, a: -0 })).toBe(jcsCid({ a: 0, b: 1 }));
    expect(jcsCid({ a: null })).not.toBe(jcsCid({}));
    expect(jcsCid([1])).toMatch(/^bafkrei[a-z2-7]{52}$/);
  });
});

function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).reverse();
  return Object.fromEntries(entries.map(([key, item]) => [key, shuffled(item)]));
}
