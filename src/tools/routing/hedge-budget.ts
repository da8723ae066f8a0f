/** One call in ten may be sent twice: a room whose every place is slow must not get twice the calls for it. */
const EARNED_PER_CALL = 0.1;
/** Saved up in quiet times. */
const MOST_SAVED = 10;

/** How many calls may be sent to a second place (as gRPC's retry throttling, gRFC A6). */
export class HedgeBudget {
  #saved = MOST_SAVED / 2;

  /** A call that could be hedged has begun. */
  earn(): void {
    this.#saved = Math.min(MOST_SAVED, this.#saved + EARNED_PER_CALL);
  }

  /** @returns whether one may be sent twice now */
  spend(): boolean {
    if (this.#saved < 1) return false;
    this.#saved--;
    return true;
  }
}
