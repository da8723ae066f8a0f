import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { segments } from '../../../src/app/search/marks.ts';

describe('segments', () => {
  it('cuts a text at its marks', () => {
    expect(
      segments('insulin and sleep', [
        [0, 7],
        [12, 17],
      ]),
    ).toEqual([
      { text: 'insulin', marked: true },
      { text: ' and ', marked: false },
      { text: 'sleep', marked: true },
    ]);
  });

  it('keeps markup as text', () => {
    expect(segments('<b>x</b>', [[3, 4]]).map((segment) => segment.text)).toEqual(['<b>', 'x', '</b>']);
  });

  it('loses and adds no text, whatever the marks', () => {
    const mark = fc.tuple(fc.oneof(fc.integer({ min: -5, max: 60 }), fc.double()), fc.integer({ min: -5, max: 60 }));
    fc.assert(
      fc.property(fc.string({ maxLength: 50, unit: 'grapheme' }), fc.array(mark, { maxLength: 8 }), (text, marks) => {
        const cut = segments(text, marks);
        expect(cut.map((segment) => segment.text).join('')).toBe(text);
        expect(cut.every((segment) => segment.text !== '')).toBe(true);
      }),
    );
  });

  it('marks exactly the offsets of ascending marks that do not overlap', () => {
    const cuts = fc
      .uniqueArray(fc.nat({ max: 30 }), { minLength: 2, maxLength: 10 })
      .map((n) => n.sort((a, b) => a - b));
    fc.assert(
      fc.property(cuts, (offsets) => {
        const text = 'abcdefghijklmnopqrstuvwxyz0123';
        const marks: [number, number][] = [];
        for (let i = 0; i + 1 < offsets.length; i += 2) marks.push([offsets[i] ?? 0, offsets[i + 1] ?? 0]);
        const marked = segments(text, marks)
          .filter((segment) => segment.marked)
          .map((segment) => segment.text);
        expect(marked).toEqual(marks.map(([from, to]) => text.slice(from, to)).filter((part) => part !== ''));
      }),
    );
  });
});
