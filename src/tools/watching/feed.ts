import type { WatchedCall } from '../../contracts/calls.ts';
import type { CallRequest, Place } from '../../contracts/tools.ts';
import type { LocalTools } from '../local-tools.ts';
import type { RoutedTools } from '../room-tools.ts';
import { CallObserver, type CallObserverOptions } from './observer.ts';

/** The calls that a peer makes and serves, for who watches. */
export interface CallFeed {
  /** the same tools, with calls that are served watched */
  local(tools: LocalTools): LocalTools;
  /** the same tools, with calls that are made watched */
  routed(tools: RoutedTools): RoutedTools;
  /** Watches a call that goes straight to a place, past the router. @returns what `run` does */
  sent<T>(request: CallRequest, traceparent: string | undefined, place: Place, run: () => Promise<T>): Promise<T>;
  /**
   * Tells of the calls that are remembered, oldest first, and of every one from now on: when it begins, when something happens
   * to it, when it ends.
   * @returns the function that stops
   */
  watch(listener: (call: WatchedCall) => void): () => void;
}

export interface CallFeedOptions extends Omit<CallObserverOptions, 'watched' | 'tell'> {
  /** false: a call of which nobody hears pays one comparison, and nothing is remembered of it */
  readonly remembers: boolean;
}

/** Makes the {@link CallFeed} of a peer. */
export function createCallFeed({ remembers, ...options }: CallFeedOptions): CallFeed {
  const watchers = new Set<{ readonly listener: (call: WatchedCall) => void }>();
  const observer = new CallObserver({
    ...options,
    watched: () => watchers.size > 0,
    tell: (call) => {
      for (const { listener } of watchers) listener(call);
    },
  });
  const looks = () => remembers || watchers.size > 0;
  return {
    local: (tools) => ({
      ...tools,
      call: (request, given) =>
        looks() ? observer.served(request, given ?? {}, () => tools.call(request, given)) : tools.call(request, given),
    }),
    routed: (tools) => ({
      ...tools,
      call: (request, given) =>
        looks()
          ? observer.made(request, given ?? {}, (watched) => tools.call(request, watched))
          : tools.call(request, given),
    }),
    sent: (request, traceparent, place, run) => (looks() ? observer.sent(request, traceparent, place, run) : run()),
    watch(listener) {
      for (const call of observer.remembered()) listener(call);
      const watcher = { listener };
      watchers.add(watcher);
      return () => {
        watchers.delete(watcher);
      };
    },
  };
}
