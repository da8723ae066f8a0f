import type { CallEnd, CallTry, WatchedCall } from '../../contracts/calls.ts';
import type { CallOptions, Place, Principal } from '../../contracts/tools.ts';
import { monotonicNow, type Clock } from '../../lib/clock.ts';
import { toTabmeshError, type WireError } from '../../lib/errors.ts';
import type { PeerId } from '../../lib/ids.ts';
import { parseTraceparent } from '../../lib/traceparent.ts';
import type { CallObserver } from './feed.ts';
import { jsonSize } from './json-size.ts';

export interface CallObserverOptions {
  readonly self: PeerId;
  readonly clock: Clock;
  readonly tell: (call: WatchedCall) => void;
}

/** A call that is being watched. */
interface Watching {
  onTry(place: Place, hedge: boolean): (error: WireError | null) => void;
  ended(end: Omit<CallEnd, 'tookMs'>): void;
}

/** Makes what tells of calls while they run. */
export function createCallObserver({ self, clock, tell }: CallObserverOptions): CallObserver {
  let last = 0;

  const begin = (
    side: WatchedCall['side'],
    { tool, args, principal, place }: { tool: string; args: unknown; principal: Principal; place?: PeerId },
    { traceparent }: CallOptions,
  ): Watching => {
    const startedAt = monotonicNow(clock);
    const since = () => monotonicNow(clock) - startedAt;
    const tries: CallTry[] = [];
    const call = {
      ...{ id: (last += 1), side, tool, principal },
      at: clock.now(),
      traceId: parseTraceparent(traceparent)?.id ?? null,
      asked: place ?? null,
      argsSize: jsonSize(args),
    };
    let end: CallEnd | null = null;
    const told = () => {
      tell({ ...call, tries: [...tries], end });
    };
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
  };

  return {
    async made(request, options, run) {
      const watching = begin('made', request, options);
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
    },
    async served(request, options, run) {
      const { principal } = request;
      // what this peer's own router brings is watched as a call that was made
      const isOwn = principal.kind === 'device' && principal.peer === self && principal.via === undefined;
      if (isOwn) return run();
      const watching = begin('served', request, options);
      try {
        const answer = await run();
        watching.ended({ answerSize: jsonSize(answer), error: null, route: null });
        return answer;
      } catch (thrown) {
        watching.ended({ answerSize: null, error: toTabmeshError(thrown, 'tool_failed').toWire(), route: null });
        throw thrown;
      }
    },
  };
}
