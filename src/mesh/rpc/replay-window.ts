/** MCP++ Profile E: entries of the replay window. */
const MAX_ENTRIES = 4_096;

/**
 * Tells a request that was made before on the same stream by its id. A connection is authenticated and in order, so only its
 * own peer can repeat one; the window of ids bounds what we remember of it.
 *
 * A full window never rejects an honest sender, whose ids are new: numbers that grow, or strings that do not come again. Of
 * numbers what left the window is told by the highest that did; a string that left it is forgotten.
 */
export class ReplayWindow {
  readonly #recent = new Set<number | string>();
  readonly #maxEntries: number;
  /** numbers up to this one count as seen */
  #floor = -Infinity;

  constructor(maxEntries = MAX_ENTRIES) {
    this.#maxEntries = maxEntries;
  }

  get size(): number {
    return this.#recent.size;
  }

  /** Notes an id. @returns false when it was here before */
  admit(id: number | string): boolean {
    if (this.#recent.has(id) || (typeof id === 'number' && id <= this.#floor)) return false;
    this.#recent.add(id);
    if (this.#recent.size > this.#maxEntries) this.#dropOldest();
    return true;
  }

  #dropOldest(): void {
    // a set goes through its values in the order in which they were added
    for (const oldest of this.#recent) {
      this.#recent.delete(oldest);
      if (typeof oldest === 'number') this.#floor = Math.max(this.#floor, oldest);
      return;
    }
  }
}
