import type { Clock } from '../../lib/clock.ts';

/** A token bucket: up to `burst` at once, refilled at `perSecond`. */
export class TokenBucket {
  readonly #burst: number;
  readonly #perSecond: number;
  readonly #clock: Clock;
  #tokens: number;
  #at: number;

  constructor(burst: number, perSecond: number, clock: Clock) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#clock = clock;
    this.#tokens = burst;
    this.#at = clock.now();
  }

  /** Takes `cost` tokens if they are there. A cost over the burst is allowed from a full bucket, and is then owed. */
  take(cost: number): boolean {
    const now = this.#clock.now();
    this.#tokens = Math.min(this.#burst, this.#tokens + (Math.max(0, now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
    if (this.#tokens < Math.min(cost, this.#burst)) return false;
    this.#tokens -= cost;
    return true;
  }
}
