import type { CallEnd, CallTry, WatchedCall } from '../../contracts/calls.ts';
import type { CallOptions, CallRequest, CallResult, Place, Principal } from '../../contracts/tools.ts';
import { monotonicNow, type Clock } from '../../lib/clock.ts';
import { toTabmeshError, type WireError } from '../../lib/errors.ts';
import type { PeerId } from '../../lib/ids.ts';
import { parseTraceparent } from '../../lib/traceparent.ts';
import type { ArrivingCall } from '../guard.ts';
import { jsonSize } from './json-size.ts';

/**
 * Calls that are remembered for who looks later: some screens full. Each keeps how it was routed, which in a room of hundreds
 * of places is some tens of kilobytes.
 */
export const MAX_REMEMBERED = 200;

export interface CallObserverOptions {
  readonly self: PeerId;
  readonly clock: Clock;
  /** whether anybody hears what is told; nothing is told when nobody does */
  readonly watched: () => boolean;
  readonly tell: (call: WatchedCall) => void;
}

/** A call that is being watched. */
interface Watching {
  onTry(place: Place, hedge: boolean): (error: WireError | null) => void;
  ended(end: Omit<CallEnd, 'tookMs'>): void;
}

/** Looks on while calls run, tells of them, and remembers the newest. */
export class CallObserver {
  readonly #options: CallObserverOptions;
  /** in the order they began */
  readonly #calls = new Map<number, () => WatchedCall>();
  #last = 0;

  constructor(options: CallObserverOptions) {
    this.#options = options;
  }

  /** the newest calls as of now, oldest first */
  remembered(): readonly WatchedCall[] {
    return [...this.#calls.values()].map((asOfNow) => asOfNow());
  }

  /** a call that the router of this peer makes */
  async made(
    request: CallRequest,
    options: CallOptions,
    run: (options: CallOptions) => Promise<CallResult>,
  ): Promise<CallResult> {
    const watching = this.#begin('made', request, options.traceparent);
    const { onTry } = options;
    const result = await run({
      ...options,
      onTry: (place, hedge) => {
        const ended = [onTry?.(place, hedge), watching.onTry(place, hedge)];
        return (error) => {
          for (const each of ended) each?.(error);
        };
      },
    });
    const { route } = result;
    if (result.ok) watching.ended({ answerSize: jsonSize(result.value), error: null, route });
    else watching.ended({ answerSize: null, error: result.error, route });
    return result;
  }

  /** a call that goes straight to a place */
  sent<T>(request: CallRequest, traceparent: string | undefined, place: Place, run: () => Promise<T>): Promise<T> {
    const watching = this.#begin('made', request, traceparent);
    const tried = watching.onTry(place, false);
    return this.#follow(watching, run, tried);
  }

  /** a call that another peer makes */
  served(request: ArrivingCall, options: CallOptions, run: () => Promise<unknown>): Promise<unknown> {
    const { principal } = request;
    // what this peer's own router brings is watched as a call that was made
    const isOwn = principal.kind === 'device' && principal.peer === this.#options.self && principal.via === undefined;
    return isOwn ? run() : this.#follow(this.#begin('served', request, options.traceparent), run);
  }

  async #follow<T>(watching: Watching, run: () => Promise<T>, tried?: (error: WireError | null) => void): Promise<T> {
    try {
      const answer = await run();
      tried?.(null);
      watching.ended({ answerSize: jsonSize(answer), error: null, route: null });
      return answer;
    } catch (thrown) {
      const error = toTabmeshError(thrown, 'tool_failed').toWire();
      tried?.(error);
      watching.ended({ answerSize: null, error, route: null });
      throw thrown;
    }
  }

  #begin(
    side: WatchedCall['side'],
    { tool, args, principal, place }: { tool: string; args: unknown; principal: Principal; place?: PeerId },
    traceparent: string | undefined,
  ): Watching {
    const { clock } = this.#options;
    const startedAt = monotonicNow(clock);
    const since = () => monotonicNow(clock) - startedAt;
    const tries: CallTry[] = [];
    const call = {
      ...{ id: (this.#last += 1), side, tool, principal },
      at: clock.now(),
      traceId: parseTraceparent(traceparent)?.id ?? null,
      asked: place ?? null,
      argsSize: jsonSize(args),
    };
    let end: CallEnd | null = null;
    const asOfNow = (): WatchedCall => ({ ...call, tries: [...tries], end });
    const told = () => {
      if (this.#options.watched()) this.#options.tell(asOfNow());
    };
    this.#remember(call.id, asOfNow);
    told();
    return {
      onTry(at, hedge) {
        const startedMs = since();
        const isAgain = tries.some(({ place: { peer } }) => peer === at.peer);
        const why = hedge ? 'hedge' : isAgain ? 'retry' : tries.length === 0 ? 'first' : 'next';
        const index = tries.push({ place: at, why, startedMs, tookMs: null, error: null }) - 1;
        told();
        return (error) => {
          tries[index] = { place: at, why, startedMs, tookMs: since() - startedMs, error };
          // one that succeeds ends the call, which is told in a moment
          if (error !== null) told();
        };
      },
      ended(how) {
        end = { ...how, tookMs: since() };
        told();
      },
    };
  }

  #remember(id: number, asOfNow: () => WatchedCall): void {
    this.#calls.set(id, asOfNow);
    if (this.#calls.size <= MAX_REMEMBERED) return;
    const [oldest] = this.#calls.keys();
    if (oldest !== undefined) this.#calls.delete(oldest);
  }
}
