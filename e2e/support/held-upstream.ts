import type { Route } from '../../tests/support/upstream-routes.ts';
import { startUpstream, type TestUpstream } from '../../tests/support/upstream-server.ts';

/** A PubMed that can be told to take its time with the records. */
export interface HeldUpstream extends TestUpstream {
  /**
   * From now on a fetch of records is not answered.
   * @param after so many that still are
   */
  hold(after?: number): void;
  /** Answers those that wait, and later ones at once. */
  release(): void;
}

/**
 * Starts a {@link HeldUpstream}; it holds nothing yet.
 * @param route what it answers in the end
 */
export async function startHeldUpstream(route: Route): Promise<HeldUpstream> {
  let gate = Promise.withResolvers<undefined>();
  let unhindered = Infinity;
  const upstream = await startUpstream({
    routes: [
      async (url) => {
        if (url.pathname.endsWith('/efetch.fcgi') && unhindered-- <= 0) await gate.promise;
        return route(url);
      },
    ],
  });
  return {
    ...upstream,
    hold(after = 0) {
      gate = Promise.withResolvers<undefined>();
      unhindered = after;
    },
    release() {
      unhindered = Infinity;
      gate.resolve(undefined);
    },
  };
}
