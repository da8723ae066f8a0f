import { TabmeshError } from '../../lib/errors.ts';
import type { Scored } from '../scored.ts';
import { Best } from './best.ts';

export interface VectorQuery {
  /** how many to return at most */
  readonly k: number;
  /** the least score that counts */
  readonly floor: number;
  /** says whether a row counts, and is asked only for those that reach the floor; a row cannot be removed otherwise */
  readonly accept: (slot: number) => boolean;
  /** order of slots with equal scores, negative when `a` comes first: the answer must not depend on slot numbers */
  readonly tie: (a: number, b: number) => number;
}

/** Rows doubled from here on: 64 rows are 96 KiB, little enough for an empty index. */
const FIRST_CAPACITY = 64;

/**
 * Unit vectors in one array, searched exactly by scanning every row: 4.5 ms for 10,000 rows of 384 numbers, which no
 * graph or tree in JavaScript beats at that size without losing records or taking seconds to build.
 */
export class FlatVectors {
  readonly #dimension: number;
  #rows: Float32Array;
  #used = 0;

  constructor(dimension: number) {
    this.#dimension = dimension;
    this.#rows = new Float32Array(FIRST_CAPACITY * dimension);
  }

  /** @throws `internal` for a vector of another dimension or with a number that is not finite: it would spoil every scan */
  set(slot: number, vector: Float32Array): void {
    if (vector.length !== this.#dimension || !vector.every(Number.isFinite)) {
      throw new TabmeshError('internal', `a vector of ${String(this.#dimension)} finite numbers was expected`);
    }
    this.#reserve(slot + 1);
    this.#rows.set(vector, slot * this.#dimension);
    this.#used = Math.max(this.#used, slot + 1);
  }

  /** The vector of a row; a view that is valid until the next `set`. */
  get(slot: number): Float32Array {
    return this.#rows.subarray(slot * this.#dimension, (slot + 1) * this.#dimension);
  }

  /** The best rows by cosine, best first. @param vector of length 1 */
  search(vector: Float32Array, { k, floor, accept, tie }: VectorQuery): Scored[] {
    const best = new Best<Scored>(k, (a, b) => b.score - a.score || tie(a.slot, b.slot));
    for (let slot = 0; slot < this.#used; slot += 1) {
      const score = this.#dot(slot, vector);
      if (score >= floor && accept(slot)) best.offer({ slot, score });
    }
    return best.sorted();
  }

  #dot(slot: number, vector: Float32Array): number {
    const rows = this.#rows;
    const start = slot * this.#dimension;
    let sum = 0;
    for (let i = 0; i < this.#dimension; i += 1) sum += (rows[start + i] ?? 0) * (vector[i] ?? 0);
    return sum;
  }

  #reserve(slots: number): void {
    const needed = slots * this.#dimension;
    if (needed <= this.#rows.length) return;
    const grown = new Float32Array(Math.max(needed, this.#rows.length * 2));
    grown.set(this.#rows);
    this.#rows = grown;
  }
}
