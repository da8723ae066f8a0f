import { demoRoute } from '../../tests/support/upstream-routes.ts';
import { startUpstream, type TestUpstream } from '../../tests/support/upstream-server.ts';

/** The demo PubMed, which can be told to take its time with the records. */
export interface HeldUpstream extends TestUpstream {
  /** From now on a fetch of records is not answered. */
  hold(): void;
  /** Answers those that wait, and later ones at once. */
  release(): void;
}

/** Starts a {@link HeldUpstream}; it holds nothing yet. */
export async function startHeldUpstream(): Promise<HeldUpstream> {
  let gate = Promise.withResolvers<undefined>();
  gate.resolve(undefined);
  const demo = await demoRoute();
  const upstream = await startUpstream({
    routes: [
      async (url) => {
        if (url.pathname.endsWith('/efetch.fcgi')) await gate.promise;
        return demo(url);
      },
    ],
  });
  return {
    ...upstream,
    hold() {
      gate = Promise.withResolvers<undefined>();
    },
    release() {
      gate.resolve(undefined);
    },
  };
}
