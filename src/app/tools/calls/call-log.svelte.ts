import type { RoomClient } from '../../../contracts/app.ts';
import type { WatchedCall } from '../../../contracts/calls.ts';
import { CallRing } from './call-ring.ts';

/** Calls that are kept: more than anybody reads, and a few megabytes at worst. */
const MAX_CALLS = 500;
/** Thousands of calls a second are drawn this often, ms: nobody reads faster. */
const DRAW_MS = 250;

type Client = Pick<RoomClient, 'watchCalls'>;
const logs = new WeakMap<Client, CallLog>();

/** The log of a room: what was watched before is still there when one comes back to it. */
export function callLogOf(client: Client): CallLog {
  const log = logs.get(client) ?? new CallLog(client);
  logs.set(client, log);
  return log;
}

/** The newest calls of a room, from when it was opened. */
export class CallLog {
  /** newest first, as they were last drawn */
  calls = $state.raw<readonly WatchedCall[]>([]);
  /** calls that have come since it was paused */
  behind = $state(0);
  paused = $state(false);
  readonly #client: Client;
  readonly #kept = new CallRing(MAX_CALLS);
  #stop: (() => void) | null = null;
  /** the newest call that was cleared away: those up to it are remembered elsewhere, and not shown again */
  #cleared = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(client: Client) {
    this.#client = client;
  }

  /**
   * Begins to watch, if it does not already, and goes on on other pages: a tool is run on another one than that which lists
   * its call.
   */
  watch(): void {
    this.#stop ??= this.#client.watchCalls((call) => {
      this.#take(call);
    });
  }

  /** Nobody sees the list any more: one that stands still needs no more calls until it goes on. */
  leave(): void {
    if (!this.paused || this.#stop === null) return;
    this.#stop();
    this.#stop = null;
  }

  /** Holds the list still, or lets it go on; nothing is lost meanwhile but what no longer fits. */
  pause(paused: boolean): void {
    this.paused = paused;
    if (paused) return;
    this.watch();
    this.#draw();
  }

  clear(): void {
    this.#cleared = this.#kept.newestFirst()[0]?.id ?? this.#cleared;
    this.#kept.clear();
    this.behind = 0;
    this.calls = [];
  }

  #take(call: WatchedCall): void {
    if (call.id <= this.#cleared) return;
    if (this.#kept.put(call) && this.paused) this.behind += 1;
    this.#timer ??= setTimeout(() => {
      this.#draw();
    }, DRAW_MS);
  }

  #draw(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.paused) return;
    this.behind = 0;
    this.calls = this.#kept.newestFirst();
  }
}
