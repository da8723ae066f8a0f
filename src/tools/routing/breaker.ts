import type { BreakerInfo } from '../../contracts/routing.ts';
import type { Clock } from '../../lib/clock.ts';
import type { PeerId } from '../../lib/ids.ts';

/** Failures in a row after which a place is left alone (`spec/1` §1.4). */
const THRESHOLD = 5;
/** How long it is left alone before one call tries it again, ms (same). */
const OPEN_MS = 60_000;
/** More than a room's places times the tools that can be broken at once; the oldest go first. */
const MAX_ENTRIES = 4096;

interface Entry {
  readonly peer: PeerId;
  readonly tool: string;
  failures: number;
  /** null while closed */
  openedAt: number | null;
  /** half-open, and the one call that tries it is under way */
  trying: boolean;
}

export type Outcome = 'ok' | 'failed' | 'neither';

export interface BreakerOptions {
  readonly clock: Clock;
  readonly openMs?: number | undefined;
}

/**
 * Circuit breakers, one for each tool at each place: closed, after {@link THRESHOLD} failures in a row open, after
 * {@link OPEN_MS} half-open for one call, then closed or open again by how that went. Nothing is kept of who has not failed.
 */
export class CircuitBreakers {
  readonly #clock: Clock;
  readonly #openMs: number;
  readonly #entries = new Map<string, Entry>();

  constructor({ clock, openMs = OPEN_MS }: BreakerOptions) {
    this.#clock = clock;
    this.#openMs = openMs;
  }

  /** Why a call must not go there now; null when it may. */
  refusal(peer: PeerId, tool: string): string | null {
    if (this.#entries.size === 0) return null;
    const entry = this.#entries.get(keyOf(peer, tool));
    if (entry === undefined || entry.openedAt === null) return null;
    const left = this.#left(entry);
    if (left > 0) {
      return `has failed ${String(entry.failures)} times in a row; it is tried again in ${String(Math.ceil(left / 1000))} s`;
    }
    return entry.trying ? 'has failed, and is being tried again by another call' : null;
  }

  /**
   * A call goes there now.
   * @returns whether it is the one that tries a half-open breaker
   */
  begin(peer: PeerId, tool: string): boolean {
    if (this.#entries.size === 0) return false;
    const entry = this.#entries.get(keyOf(peer, tool));
    if (entry === undefined || entry.openedAt === null || entry.trying) return false;
    entry.trying = true;
    return true;
  }

  /**
   * The call has ended. `neither`: it says nothing of the place, such as a call that was cancelled.
   * @param wasTry what {@link begin} returned
   */
  end(peer: PeerId, tool: string, outcome: Outcome, wasTry: boolean): void {
    const key = keyOf(peer, tool);
    if (outcome === 'ok') {
      if (this.#entries.size > 0) this.#entries.delete(key);
      return;
    }
    const before = this.#entries.get(key);
    if (before !== undefined && wasTry) before.trying = false;
    if (outcome === 'neither') return;
    const entry = before ?? { peer, tool, failures: 0, openedAt: null, trying: false };
    entry.failures++;
    if (wasTry || (entry.openedAt === null && entry.failures >= THRESHOLD)) entry.openedAt = this.#clock.now();
    if (before === undefined) this.#add(key, entry);
  }

  /** The peer has come again: it is not made to wait, but its first call shows whether it is well. */
  cameAgain(peer: PeerId): void {
    for (const entry of this.#entries.values()) {
      if (entry.peer === peer && entry.openedAt !== null) entry.openedAt = -Infinity;
    }
  }

  /** Closes those of a peer, of a tool, of both, or all. @returns how many were not closed */
  reset(peer: PeerId | null, tool: string | null): number {
    let open = 0;
    for (const [key, entry] of this.#entries) {
      if ((peer !== null && entry.peer !== peer) || (tool !== null && entry.tool !== tool)) continue;
      if (entry.openedAt !== null) open++;
      this.#entries.delete(key);
    }
    return open;
  }

  /** those that are not closed */
  list(): readonly BreakerInfo[] {
    return [...this.#entries.values()]
      .filter(({ openedAt }) => openedAt !== null)
      .map((entry) => {
        const retryAfterMs = Math.max(0, this.#left(entry));
        const { peer, tool, failures } = entry;
        return { peer, tool, failures, retryAfterMs, state: retryAfterMs > 0 ? 'open' : 'half-open' };
      });
  }

  #left({ openedAt }: Entry): number {
    return openedAt === null ? 0 : openedAt + this.#openMs - this.#clock.now();
  }

  #add(key: string, entry: Entry): void {
    this.#entries.set(key, entry);
    if (this.#entries.size <= MAX_ENTRIES) return;
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }
}

/** no peer id and no tool name has a space in it */
const keyOf = (peer: PeerId, tool: string): string => `${peer} ${tool}`;
