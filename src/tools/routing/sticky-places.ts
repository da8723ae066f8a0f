import type { Clock } from '../../lib/clock.ts';
import type { PeerId } from '../../lib/ids.ts';

/** Longer than a person is away from a piece of work; then its state matters to nobody, ms. */
const FORGET_AFTER_MS = 30 * 60 * 1000;
/** Groups times principals; the one that was used least lately goes first. */
const MAX_ENTRIES = 1000;

/** Which place keeps the state that a principal's earlier calls have left. */
export class StickyPlaces {
  readonly #clock: Clock;
  readonly #places = new Map<string, { readonly peer: PeerId; readonly at: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(group: string, principal: string): PeerId | undefined {
    const found = this.#places.get(keyOf(group, principal));
    return found !== undefined && this.#clock.now() - found.at < FORGET_AFTER_MS ? found.peer : undefined;
  }

  set(group: string, principal: string, peer: PeerId): void {
    const key = keyOf(group, principal);
    this.#places.delete(key);
    this.#places.set(key, { peer, at: this.#clock.now() });
    const [oldest] = this.#places.keys();
    if (this.#places.size > MAX_ENTRIES && oldest !== undefined) this.#places.delete(oldest);
  }
}

const keyOf = (group: string, principal: string): string => `${group} ${principal}`;
