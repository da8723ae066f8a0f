import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatTraceparent, newTrace, nextHop, parseTraceparent } from '../../../src/lib/traceparent.ts';

const hex = (length: number) =>
  fc
    .string({ unit: fc.constantFrom(...Array.from('0123456789abcdef')), minLength: length, maxLength: length })
    .filter((text) => !/^0+$/.test(text));
const flags = fc.constantFrom('00', '01', 'ff');

describe('a traceparent', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(hex(32), hex(16), flags, (id, parent, bits) => {
        const trace = { id, parent, flags: bits };
        expect(parseTraceparent(formatTraceparent(trace))).toEqual(trace);
      }),
    );
  });

  it('of a newer version may say more, which is left out', () => {
    const id = '0af7651916cd43dd8448eb211c80319c';
    const trace = { id, parent: 'b7ad6b7169203331', flags: '01' };
    expect(parseTraceparent(`cc-${id}-b7ad6b7169203331-01-what-the-future-brings`)).toEqual(trace);
    expect(parseTraceparent(`00-${id}-b7ad6b7169203331-01-more`)).toBeUndefined();
  });

  it.each([
    'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    '00-00000000000000000000000000000000-b7ad6b7169203331-01',
    '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01',
    '00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01',
    '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331',
    '',
  ])('of %s is none', (text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });

  it('is nothing that is no text, and no text makes it throw', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        const trace = parseTraceparent(value);
        expect(trace === undefined || typeof value === 'string').toBe(true);
      }),
    );
  });

  it('keeps its trace and flags from hop to hop, with another parent each', () => {
    const first = newTrace();
    expect(parseTraceparent(formatTraceparent(first))).toEqual(first);
    const second = nextHop(first);
    expect([second.id, second.flags]).toEqual([first.id, first.flags]);
    expect(second.parent).not.toBe(first.parent);
    expect(parseTraceparent(formatTraceparent(second))).toEqual(second);
  });
});
