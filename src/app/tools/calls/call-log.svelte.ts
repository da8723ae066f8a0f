import type { RoomClient } from '../../../contracts/app.ts';
import type { WatchedCall } from '../../../contracts/calls.ts';
import { toTabmeshError, type WireError } from '../../../lib/errors.ts';
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

/** The newest calls of a room, from when somebody first looked at them. */
export class CallLog {
  /** newest first, as they were last drawn */
  calls = $state.raw<readonly WatchedCall[]>([]);
  /** calls that have come since it was paused */
  behind = $state(0);
  paused = $state(false);
  /** why nothing is watched; null when it is */
  error = $state.raw<WireError | null>(null);
  readonly #client: Client;
  readonly #kept = new CallRing(MAX_CALLS);
  #watching = false;
  #stop: (() => void) | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(client: Client) {
    this.#client = client;
  }

  /**
   * Begins to watch, if it does not already, and goes on on other pages: a tool is run on another one than that which lists
   * its call. A failure is in `error`.
   */
  watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    this.error = null;
    this.#client
      .watchCalls((call) => {
        this.#take(call);
      })
      .then(
        (stop) => (this.#stop = stop),
        (thrown: unknown) => {
          this.#watching = false;
          this.error = toTabmeshError(thrown).toWire();
        },
      );
  }

  /** Nobody sees the list any more: one that stands still needs no more calls until it goes on. */
  leave(): void {
    if (!this.paused || this.#stop === null) return;
    this.#stop();
    this.#stop = null;
    this.#watching = false;
  }

  /** Holds the list still, or lets it go on; nothing is lost meanwhile but what no longer fits. */
  pause(paused: boolean): void {
    this.paused = paused;
    if (paused) return;
    this.watch();
    this.#draw();
  }

  clear(): void {
    this.#kept.clear();
    this.behind = 0;
    this.calls = [];
  }

  #take(call: WatchedCall): void {
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
