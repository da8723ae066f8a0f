import type { RunEvent, RunState, RunStore } from '../contracts/workflow.ts';
import type { Clock } from '../lib/clock.ts';
import type { RunId } from '../lib/ids.ts';
import { applyEvent } from './fold.ts';

type WithoutStamp<E> = E extends unknown ? Omit<E, 'seq' | 'at'> : never;
/** An event before it has its number and time. */
export type EventBody = WithoutStamp<RunEvent>;

/** Told of every event, once it is durable, with the state after it. */
export type EventListener = (event: RunEvent, state: RunState) => void;

export interface RunLogOptions {
  readonly runId: RunId;
  readonly store: RunStore;
  readonly clock: Clock;
  readonly onEvent: EventListener | undefined;
  /** for a run that has events already: its state and their number */
  readonly resume?: { readonly state: RunState; readonly nextSeq: number };
}

/**
 * Writes the events of one run: numbered, and durable before they are announced. One caller at a time: each waits for its
 * append before the next.
 */
export class RunLog {
  readonly #options: RunLogOptions;
  #state: RunState | null;
  #nextSeq: number;

  constructor(options: RunLogOptions) {
    this.#options = options;
    this.#state = options.resume?.state ?? null;
    this.#nextSeq = options.resume?.nextSeq ?? 0;
  }

  /**
   * Stores events in one append, then announces them.
   * @returns the state after them
   * @throws what the store throws; then nothing has happened
   */
  async record(...bodies: readonly EventBody[]): Promise<RunState> {
    const { events, states } = this.#prepare(bodies);
    await this.#options.store.append(this.#options.runId, events);
    return this.#announce(events, states);
  }

  /**
   * Ends a run whose store fails: what cannot be stored is announced all the same, since it is what happened. On disk
   * the run then still looks as if it were going on, which `recover` puts right.
   */
  async recordAnyway(...bodies: readonly EventBody[]): Promise<RunState> {
    try {
      return await this.record(...bodies);
    } catch {
      // the failure that brought us here is in the event
      const { events, states } = this.#prepare(bodies);
      return this.#announce(events, states);
    }
  }

  #prepare(bodies: readonly EventBody[]): { events: RunEvent[]; states: RunState[] } {
    const at = this.#options.clock.now();
    const events = bodies.map((body, index) => ({ ...body, seq: this.#nextSeq + index, at }));
    const states: RunState[] = [];
    let state = this.#state;
    for (const event of events) states.push((state = applyEvent(state, event)));
    return { events, states };
  }

  #announce(events: readonly RunEvent[], states: readonly RunState[]): RunState {
    let latest = this.#state;
    this.#nextSeq += events.length;
    for (const [index, event] of events.entries()) {
      const state = states[index];
      if (state === undefined) continue;
      latest = this.#state = state;
      tell(this.#options.onEvent, event, state);
    }
    if (latest === null) throw new RangeError('record needs at least one event');
    return latest;
  }
}

/** A listener that throws must not end the run; as with an EventTarget, its error is reported as uncaught. */
function tell(listener: EventListener | undefined, event: RunEvent, state: RunState): void {
  try {
    listener?.(event, state);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
