/** Keeps the `k` best of any number of candidates in a binary heap whose root is the worst kept: O(n log k). */
export class Best<T> {
  readonly #k: number;
  readonly #compare: (a: T, b: T) => number;
  readonly #heap: T[] = [];

  /**
   * @param k how many to keep, at least 1
   * @param compare negative when `a` is better
   */
  constructor(k: number, compare: (a: T, b: T) => number) {
    this.#k = k;
    this.#compare = compare;
  }

  offer(candidate: T): void {
    const heap = this.#heap;
    if (heap.length < this.#k) {
      heap.push(candidate);
      this.#siftUp(heap.length - 1);
    } else if (this.#isWorse(heap[0], candidate)) {
      heap[0] = candidate;
      this.#siftDown();
    }
  }

  /** Those kept, best first. */
  sorted(): T[] {
    return [...this.#heap].sort(this.#compare);
  }

  #siftUp(from: number): void {
    let child = from;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!this.#isWorse(this.#heap[child], this.#heap[parent])) return;
      this.#swap(child, parent);
      child = parent;
    }
  }

  #siftDown(): void {
    const heap = this.#heap;
    let parent = 0;
    for (;;) {
      let worst = parent;
      if (this.#isWorse(heap[2 * parent + 1], heap[worst])) worst = 2 * parent + 1;
      if (this.#isWorse(heap[2 * parent + 2], heap[worst])) worst = 2 * parent + 2;
      if (worst === parent) return;
      this.#swap(parent, worst);
      parent = worst;
    }
  }

  #swap(i: number, j: number): void {
    const a = this.#heap[i];
    const b = this.#heap[j];
    if (a === undefined || b === undefined) return;
    this.#heap[i] = b;
    this.#heap[j] = a;
  }

  /** False when either is not there, so that a missing child never moves up. */
  #isWorse(a: T | undefined, b: T | undefined): boolean {
    return a !== undefined && b !== undefined && this.#compare(a, b) > 0;
  }
}
