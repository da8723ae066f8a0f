import type { PresenceState } from '../replica/presence-state.ts';
import type { Presence } from '../replica/presence.ts';

/** Presence that changes often (call counters) is sent at most this often. */
const PRESENCE_INTERVAL_MS = 500;

/** What this peer says of itself: known here at once, told to everybody soon. */
export class OwnPresence {
  readonly #presence: Pick<Presence, 'setLocal'>;
  #state: PresenceState | undefined;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(presence: Pick<Presence, 'setLocal'>) {
    this.#presence = presence;
  }

  get state(): PresenceState | undefined {
    return this.#state;
  }

  set(state: PresenceState): void {
    const first = this.#state === undefined;
    this.#state = state;
    if (first) {
      this.#presence.setLocal(state);
      return;
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      if (this.#state !== undefined) this.#presence.setLocal(this.#state);
    }, PRESENCE_INTERVAL_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}
