import type { CallOptions, CallResult, ToolProgress } from '../../contracts/tools.ts';
import type { Deadline } from '../../lib/deadline.ts';
import { TabmeshError } from '../../lib/errors.ts';

interface Flight {
  readonly ended: Promise<CallResult>;
  readonly waiting: Set<CallOptions['onProgress']>;
  readonly stop: AbortController;
}

export interface SharedResult {
  readonly result: CallResult;
  /** false for the caller that began it */
  readonly shared: boolean;
}

/** Calls that are alike and run at the same time run once: each waits for the one answer as long as its own deadline lets it. */
export class SharedCalls {
  readonly #flights = new Map<string, Flight>();

  /**
   * @param run begins the call; its signal fires when nobody waits for it any more
   * @throws the deadline's reason
   */
  async join(
    key: string,
    run: (options: Required<Pick<CallOptions, 'signal' | 'onProgress'>>) => Promise<CallResult>,
    deadline: Deadline,
    onProgress: CallOptions['onProgress'],
  ): Promise<SharedResult> {
    const before = this.#flights.get(key);
    const flight = before ?? this.#begin(key, run);
    // a wrapper of its own for each, so that the same function given twice counts twice
    const listener = (progress: ToolProgress) => onProgress?.(progress);
    flight.waiting.add(listener);
    try {
      return { result: await deadline.race(flight.ended), shared: before !== undefined };
    } finally {
      flight.waiting.delete(listener);
      if (flight.waiting.size === 0) {
        if (this.#flights.get(key) === flight) this.#flights.delete(key);
        flight.stop.abort(new TabmeshError('cancelled', 'nobody waits for the answer any more'));
      }
    }
  }

  #begin(key: string, run: Parameters<SharedCalls['join']>[1]): Flight {
    const stop = new AbortController();
    const waiting: Flight['waiting'] = new Set();
    const onProgress = (progress: ToolProgress) => {
      for (const listener of waiting) listener?.(progress);
    };
    const ended = run({ signal: stop.signal, onProgress }).finally(() => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    });
    const flight: Flight = { ended, waiting, stop };
    this.#flights.set(key, flight);
    return flight;
  }
}
