import type { Clock } from '../../lib/clock.ts';
import type { PeerId } from '../../lib/ids.ts';
import type { Log } from '../../lib/log.ts';
import { backoffMs } from './backoff.ts';

/** How often a relay is asked whether it is still there: a network that was taken away says nothing by itself. */
const PING_INTERVAL_MS = 10_000;
/** A relay answers within a round trip; a busy one, or one across a bad line, within this. */
const PING_TIMEOUT_MS = 5_000;
/** Two in a row unanswered: the connection is dead, whatever the transport still believes. */
const MAX_MISSED_PINGS = 2;
/** How often a place is asked for again that could not be renewed. */
const RESERVATION_CHECK_MS = 30_000;
/** A relay that has not given a place by then is asked again. */
const RESERVE_TIMEOUT_MS = 10_000;

export interface RelayUpkeepOptions {
  readonly relay: PeerId;
  /** has the relay keep a place for this peer, unless it does. @throws when it does not */
  readonly reserve: (relay: PeerId, signal: AbortSignal) => Promise<void>;
  /** resolves when the relay has answered */
  readonly ping: (relay: PeerId, signal: AbortSignal) => Promise<unknown>;
  /** the relay answers no more */
  readonly onSilent: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** What a stay at a relay takes: a place there, also after it was lost, and noticing when the relay cannot be reached. */
export class RelayUpkeep {
  readonly #options: RelayUpkeepOptions;
  #waiting: AbortController | null = null;

  constructor(options: RelayUpkeepOptions) {
    this.#options = options;
  }

  /** Goes on until the signal fires or the relay is silent. */
  start(signal: AbortSignal): void {
    const ended = (thrown: unknown) => {
      if (!signal.aborted) this.#options.log.error('relay no longer watched', { reason: (thrown as Error).message });
    };
    this.#holdPlace(signal).catch(ended);
    this.#watch(signal).catch(ended);
  }

  /** Asks now whether the relay is there: the network has changed. */
  checkNow(): void {
    this.#waiting?.abort();
  }

  async #holdPlace(signal: AbortSignal): Promise<void> {
    const { relay, reserve, clock, log } = this.#options;
    const stopped = () => signal.aborted;
    let failures = 0;
    while (!stopped()) {
      try {
        await reserve(relay, AbortSignal.any([signal, AbortSignal.timeout(RESERVE_TIMEOUT_MS)]));
        failures = 0;
      } catch (error) {
        if (stopped()) return;
        failures++;
        log.info('no reservation', { relay, attempt: failures, reason: (error as Error).message });
      }
      await clock.sleep(failures === 0 ? RESERVATION_CHECK_MS : backoffMs(failures), signal);
    }
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { relay, ping, onSilent, log } = this.#options;
    const stopped = () => signal.aborted;
    let missed = 0;
    while (!stopped()) {
      if (missed === 0) await this.#wait(signal);
      try {
        await ping(relay, AbortSignal.any([signal, AbortSignal.timeout(PING_TIMEOUT_MS)]));
        missed = 0;
      } catch (error) {
        if (stopped()) return;
        missed++;
        log.info('the relay does not answer', { relay, missed, reason: (error as Error).message });
        if (missed < MAX_MISSED_PINGS) continue;
        onSilent();
        return;
      }
    }
  }

  /** Until the next ping is due, or {@link checkNow}. */
  async #wait(signal: AbortSignal): Promise<void> {
    const waiting = new AbortController();
    this.#waiting = waiting;
    try {
      await this.#options.clock.sleep(PING_INTERVAL_MS, AbortSignal.any([signal, waiting.signal]));
    } catch (error) {
      if (!waiting.signal.aborted) throw error;
    } finally {
      this.#waiting = null;
    }
  }
}
