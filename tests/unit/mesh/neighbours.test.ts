import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { PeerId } from '../../../src/lib/ids.ts';
import { areNeighbours } from '../../../src/mesh/links/neighbours.ts';

const rooms = (minLength: number) =>
  fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { minLength, maxLength: 60 }) as unknown as fc.Arbitrary<
    PeerId[]
  >;

it('two peers agree on being neighbours, whether or not they count themselves in', () => {
  fc.assert(
    fc.property(rooms(2), fc.constantFrom(2, 4, 12), (room, count) => {
      for (const a of room) {
        for (const b of room) {
          if (a === b) continue;
          const seenByA = room.filter((peer) => peer !== a);
          const seenByB = room.filter((peer) => peer !== b).reverse();
          expect(areNeighbours(a, b, seenByA, count)).toBe(areNeighbours(b, a, seenByB, count));
        }
      }
    }),
    { numRuns: 30 },
  );
});

it('a peer of a large room has exactly as many as asked for, and in a small one all', () => {
  fc.assert(
    fc.property(rooms(2), fc.constantFrom(2, 4, 12), (room, count) => {
      for (const a of room) {
        const neighbours = room.filter((b) => a !== b && areNeighbours(a, b, room, count));
        expect(neighbours).toHaveLength(Math.min(count, room.length - 1));
      }
    }),
    { numRuns: 30 },
  );
});

it('from any peer every other is reached over neighbours', () => {
  fc.assert(
    fc.property(rooms(14), (room) => {
      const [first] = room;
      if (first === undefined) return;
      const reached = new Set([first]);
      for (const peer of reached) {
        for (const other of room) if (areNeighbours(peer, other, room)) reached.add(other);
      }
      expect(reached.size).toBe(room.length);
    }),
    { numRuns: 20 },
  );
});
