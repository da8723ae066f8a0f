import { startUpstream, type TestUpstream } from '../../tests/support/upstream-server.ts';
import { test as base } from './test.ts';

/** Tests whose relay asks a PubMed that can be told to misbehave. */
export const test = base.extend<{ readonly upstream: TestUpstream }>({
  upstream: async ({}, use) => {
    const upstream = await startUpstream();
    await use(upstream);
    await upstream.close();
  },
  relayArgs: async ({ upstream }, use) => {
    await use(['--upstream', `pubmed=${upstream.url}`]);
  },
});

export { expect } from './test.ts';
