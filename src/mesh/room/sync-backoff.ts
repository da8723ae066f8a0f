import type { Clock } from '../../lib/clock.ts';
import type { PeerId } from '../../lib/ids.ts';

/** After a first failure: long enough that a peer with a broken entry costs next to nothing. */
const FIRST_MS = 5_000;
/** A peer whose app is updated meanwhile is in sync again soon after. */
const LONGEST_MS = 5 * 60_000;
/** A stream that lived for this long was in order. */
const IN_ORDER_MS = 60_000;
/** As many as a room has peers at a time; those that failed longest ago are forgiven first. */
const MAX_PEERS = 1_000;

interface Failure {
  waitMs: number;
  until: number;
}

/** How long no stream is opened to a peer, and none taken from it, after the last one has failed; doubles each time. */
export class SyncBackoff {
  readonly #clock: Clock;
  readonly #failures = new Map<PeerId, Failure>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * A stream with the peer has failed.
   * @param livedMs how long it had worked
   * @returns milliseconds until the next may be tried
   */
  failed(peer: PeerId, livedMs: number): number {
    const before = livedMs < IN_ORDER_MS ? this.#failures.get(peer) : undefined;
    const waitMs = before === undefined ? FIRST_MS : Math.min(2 * before.waitMs, LONGEST_MS);
    this.#failures.delete(peer);
    this.#failures.set(peer, { waitMs, until: this.#clock.now() + waitMs });
    for (const oldest of this.#failures.keys()) {
      if (this.#failures.size <= MAX_PEERS) break;
      this.#failures.delete(oldest);
    }
    return waitMs;
  }

  /** Milliseconds until a stream with the peer may be opened, 0 for now. */
  remaining(peer: PeerId): number {
    const failure = this.#failures.get(peer);
    return failure === undefined ? 0 : Math.max(0, failure.until - this.#clock.now());
  }
}
