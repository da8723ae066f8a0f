import type { WatchedCall } from '../../../contracts/calls.ts';

/** The newest calls, each as it was last told; the oldest make room. */
export class CallRing {
  readonly #size: number;
  /** in the order they began; a call keeps its place when more becomes known of it */
  readonly #kept = new Map<number, WatchedCall>();

  /** @param size calls that are kept */
  constructor(size: number) {
    this.#size = size;
  }

  /** @returns whether it was not there before */
  put(call: WatchedCall): boolean {
    const isNew = !this.#kept.has(call.id);
    this.#kept.set(call.id, call);
    if (this.#kept.size > this.#size) {
      const [oldest] = this.#kept.keys();
      if (oldest !== undefined) this.#kept.delete(oldest);
    }
    return isNew;
  }

  newestFirst(): readonly WatchedCall[] {
    return [...this.#kept.values()].reverse();
  }

  clear(): void {
    this.#kept.clear();
  }
}
