import type { RouterCounts, BreakerInfo } from '../contracts/routing.ts';
import type { CallRequest, RoomTools, RoutePlan } from '../contracts/tools.ts';
import { TabmeshError } from '../lib/errors.ts';
import { runAfter, type Clock } from '../lib/clock.ts';
import type { PeerId } from '../lib/ids.ts';
import type { RoomPlaces } from './places.ts';
import type { Router } from './routing/router.ts';

/** {@link RoomTools} with what only its own peer asks of it. */
export interface RoutedTools extends RoomTools {
  /** What a call would do now; nothing runs. @throws `unknown_tool` */
  plan(request: CallRequest): Promise<RoutePlan>;
  status(): Promise<{ readonly counts: RouterCounts; readonly breakers: readonly BreakerInfo[] }>;
  /** Closes circuit breakers; of every place or tool where none is given. @returns how many were not closed */
  resetBreakers(peer: PeerId | null, tool: string | null): Promise<number>;
  /** The room's data have changed: answers of before are not given again. */
  forgetAnswers(): void;
  /** Loads the router, which otherwise is loaded with the first call. */
  warm(): Promise<void>;
  /** Takes no more calls, and waits for those under way. @param graceMs at most so long */
  close(graceMs: number): Promise<void>;
}

export interface RoutedToolsOptions {
  readonly places: RoomPlaces;
  /** a peer that calls nobody needs no router */
  readonly load: () => Promise<Router>;
  readonly clock: Clock;
}

/** The room's tools behind a router that is loaded when it is needed. */
export function createRoutedTools({ places, load, clock }: RoutedToolsOptions): RoutedTools {
  let loading: Promise<Router> | undefined;
  let loaded: Router | undefined;
  let closed = false;
  const running = new Set<Promise<unknown>>();
  const router = () =>
    (loading ??= load().then(
      (made) => (loaded = made),
      (cause: unknown) => {
        // the next call tries again: the relay that serves the app may be back
        loading = undefined;
        throw new TabmeshError('internal', 'the part of the app that calls tools could not be loaded', {
          hint: 'Reload the page when the relay can be reached.',
          retryable: true,
          cause,
        });
      },
    ));

  return {
    list: () => places.list(),
    subscribe: (listener) => places.subscribe(listener),
    plan: async (request) => (await router()).plan(request),
    status: async () => {
      const { counts, breakers } = await router();
      return { counts: counts(), breakers: breakers.list() };
    },
    resetBreakers: async (peer, tool) => (await router()).breakers.reset(peer, tool),
    forgetAnswers: () => loaded?.forgetAnswers(),
    warm: async () => {
      await router();
    },
    async call(request, options) {
      if (closed) return { ok: false, error: leaving().toWire(), route: null, tookMs: 0 };
      try {
        const work = (loaded ?? (await router())).call(request, options);
        running.add(work);
        try {
          return await work;
        } finally {
          running.delete(work);
        }
      } catch (thrown) {
        const error = thrown instanceof TabmeshError ? thrown : new TabmeshError('internal', String(thrown));
        return { ok: false, error: error.toWire(), route: null, tookMs: 0 };
      }
    },
    async close(graceMs) {
      closed = true;
      if (running.size === 0) return;
      await new Promise<void>((resolve) => {
        const takeBack = runAfter(clock, graceMs, resolve);
        void Promise.allSettled(running).then(() => {
          takeBack();
          resolve();
        });
      });
    },
  };
}

const leaving = (): TabmeshError =>
  new TabmeshError('cancelled', 'this peer is leaving the room and begins no more calls');
