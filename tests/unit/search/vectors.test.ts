import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashEmbedder } from '../../../src/search/embed/hash-embedder.ts';
import { Best } from '../../../src/search/vectors/best.ts';
import { FlatVectors } from '../../../src/search/vectors/flat-vectors.ts';

const everything = { k: 10, floor: 0, accept: () => true, tie: (a: number, b: number) => a - b };
const cosine = (a: string, b: string): number => {
  const left = hashEmbedder.embed(a);
  const right = hashEmbedder.embed(b);
  return left.reduce((sum, value, i) => sum + value * (right[i] ?? 0), 0);
};

describe('Best', () => {
  it('keeps what sorting everything would', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 })), fc.integer({ min: 1, max: 12 }), (values, k) => {
        const best = new Best<number>(k, (a, b) => b - a);
        for (const value of values) best.offer(value);
        expect(best.sorted()).toEqual([...values].sort((a, b) => b - a).slice(0, k));
      }),
    );
  });
});

describe('FlatVectors', () => {
  it('finds the nearest rows, best first, over any number of rows', () => {
    const vectors = new FlatVectors(2);
    const angle = (slot: number): number => (slot * Math.PI) / 1000;
    for (let slot = 0; slot < 500; slot += 1) {
      vectors.set(slot, Float32Array.of(Math.cos(angle(slot)), Math.sin(angle(slot))));
    }
    const found = vectors.search(vectors.get(250), { ...everything, k: 5, accept: (slot) => slot !== 250 });
    expect(
      found
        .slice(0, 4)
        .map(({ slot }) => slot)
        .sort(),
    ).toEqual([248, 249, 251, 252]);
    expect(found).toHaveLength(5);
    expect(found[0]?.score).toBeCloseTo(Math.cos(angle(1)), 5);
  });

  it('leaves out what is below the floor or not accepted', () => {
    const vectors = new FlatVectors(2);
    vectors.set(0, Float32Array.of(1, 0));
    vectors.set(1, Float32Array.of(0, 1));
    vectors.set(2, Float32Array.of(1, 0));
    const found = vectors.search(Float32Array.of(1, 0), { ...everything, floor: 0.5, accept: (slot) => slot !== 2 });
    expect(found).toEqual([{ slot: 0, score: 1 }]);
  });

  it.each([[Float32Array.of(1)], [Float32Array.of(1, Number.NaN)], [Float32Array.of(1, Infinity)]])(
    'refuses %j',
    (vector) => {
      expect(() => {
        new FlatVectors(2).set(0, vector);
      }).toThrow(expect.objectContaining({ code: 'internal' }));
    },
  );
});

describe('hashEmbedder', () => {
  it('gives vectors of length 1 and of the dimension it says', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const vector = hashEmbedder.embed(text);
        expect(vector).toHaveLength(hashEmbedder.info.dimension);
        const length = Math.hypot(...vector);
        if (length !== 0) expect(length).toBeCloseTo(1, 5);
      }),
    );
    expect(Math.hypot(...hashEmbedder.embed('sleep'))).toBeCloseTo(1, 5);
    expect(Math.hypot(...hashEmbedder.embed('the of'))).toBe(0);
  });

  it('puts texts with common words nearer than texts without', () => {
    const text = 'slow-wave sleep consolidates declarative memory';
    expect(cosine(text, 'memories are consolidated during sleep')).toBeGreaterThan(0.4);
    expect(Math.abs(cosine(text, 'nitrogen fixing soil bacteria'))).toBeLessThan(0.3);
    expect(cosine(text, text)).toBeCloseTo(1, 5);
  });

  it('is the vector of version 1 on every device', () => {
    // devices compare vectors: another value here is another embedder and needs another version
    const components = [...hashEmbedder.embed('sleep memory')].flatMap((value, i) => (value === 0 ? [] : [[i, value]]));
    expect(components.map(([i]) => i)).toMatchInlineSnapshot(`
      [
        20,
        51,
        93,
        175,
        186,
        250,
        274,
        345,
      ]
    `);
  });
});
