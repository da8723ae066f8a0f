import type { Clock } from '../../lib/clock.ts';
import { runAfter } from '../../lib/clock.ts';

/**
 * One timer for many due times. Most limits are set and met thousands of times a second and never pass: instead of a timer
 * each there is one, which looks around when the earliest would have passed and is set anew.
 */
export class Alarm {
  readonly #clock: Clock;
  readonly #onDue: () => number;
  #cancel: (() => void) | null = null;
  #dueAt = Infinity;

  /** @param onDue called when a due time has come; returns the next one, ms since the epoch, or Infinity */
  constructor(clock: Clock, onDue: () => number) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** Has the alarm go off at `at` (ms since the epoch) or before. */
  by(at: number): void {
    if (at >= this.#dueAt) return;
    this.#cancel?.();
    this.#dueAt = at;
    this.#cancel = runAfter(this.#clock, Math.max(0, at - this.#clock.now()), () => {
      this.#dueAt = Infinity;
      this.#cancel = null;
      this.by(this.#onDue());
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    // nothing sets it again
    this.#dueAt = -Infinity;
  }
}
