import type { WatchedCall } from '../../contracts/calls.ts';
import type { CallOptions, CallRequest, CallResult } from '../../contracts/tools.ts';
import type { ArrivingCall } from '../guard.ts';
import type { LocalTools } from '../local-tools.ts';
import type { RoutedTools } from '../room-tools.ts';

/** Looks on while calls run. */
export interface CallObserver {
  made(
    request: CallRequest,
    options: CallOptions,
    run: (options: CallOptions) => Promise<CallResult>,
  ): Promise<CallResult>;
  served(request: ArrivingCall, options: CallOptions, run: () => Promise<unknown>): Promise<unknown>;
}

/** The calls that a peer makes and serves, for who watches. While nobody does, a call pays one comparison. */
export interface CallFeed {
  /** the same tools, with calls that are served watched */
  local(tools: LocalTools): LocalTools;
  /** the same tools, with calls that are made watched */
  routed(tools: RoutedTools): RoutedTools;
  /**
   * Tells of every call that begins from now on: when it begins, when something happens to it, when it ends.
   * @returns the function that stops
   * @throws when the part of the program that watches could not be loaded
   */
  watch(listener: (call: WatchedCall) => void): Promise<() => void>;
}

/** @param load makes the observer; asked once, when somebody watches for the first time */
export function createCallFeed(load: (tell: (call: WatchedCall) => void) => Promise<CallObserver>): CallFeed {
  const watchers = new Set<{ readonly listener: (call: WatchedCall) => void }>();
  let made: CallObserver | undefined;
  /** null while nobody watches */
  let observer: CallObserver | null = null;
  const tell = (call: WatchedCall) => {
    for (const { listener } of watchers) listener(call);
  };
  return {
    local: (tools) => ({
      ...tools,
      call: (request, options) =>
        observer === null
          ? tools.call(request, options)
          : observer.served(request, options ?? {}, () => tools.call(request, options)),
    }),
    routed: (tools) => ({
      ...tools,
      call: (request, options) =>
        observer === null
          ? tools.call(request, options)
          : observer.made(request, options ?? {}, (watched) => tools.call(request, watched)),
    }),
    async watch(listener) {
      made ??= await load(tell);
      observer = made;
      const watcher = { listener };
      watchers.add(watcher);
      return () => {
        watchers.delete(watcher);
        if (watchers.size === 0) observer = null;
      };
    },
  };
}
