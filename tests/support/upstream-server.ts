import { createServer } from 'node:http';
import type { Fault } from './upstream-faults.ts';
import { commitFault } from './upstream-faults.ts';
import type { Route } from './upstream-routes.ts';
import { demoRoute } from './upstream-routes.ts';
import { startUpstream as listen } from './http-listener.ts';

export type { Fault } from './upstream-faults.ts';

/** When to misbehave. The first rule that applies to a request counts. */
export interface FaultRule {
  readonly fault: Fault;
  /** part of the URL; any request when absent */
  readonly when?: string;
  /** requests that match and pass unharmed first */
  readonly after?: number;
  /** how often; for ever when absent */
  readonly times?: number;
}

/** What a request was. */
export interface SeenRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** A stand-in for PubMed that can misbehave on demand. */
export interface TestUpstream {
  /** origin, to be used for `https://eutils.ncbi.nlm.nih.gov` */
  readonly url: string;
  readonly requests: readonly SeenRequest[];
  /** requests whose URL holds `part`; all when absent */
  count(part?: string): number;
  /** replaces the rules */
  misbehave(...rules: FaultRule[]): void;
  /** resolves when that many requests have arrived */
  received(count: number, part?: string): Promise<void>;
  close(): Promise<void>;
}

/** Starts a {@link TestUpstream} on a free loopback port. Without routes it is the demo PubMed. */
export async function startUpstream(
  options: { readonly routes?: readonly Route[]; readonly faults?: readonly FaultRule[] } = {},
): Promise<TestUpstream> {
  const routes = options.routes ?? [await demoRoute()];
  const requests: SeenRequest[] = [];
  const waiting = new Set<() => void>();
  let rules = (options.faults ?? []).map((rule) => ({ rule, matched: 0 }));

  const count = (part = '') => requests.filter(({ url }) => url.href.includes(part)).length;
  const faultFor = (url: URL): Fault | undefined => {
    for (const state of rules) {
      const { fault, when = '', after = 0, times = Infinity } = state.rule;
      if (!url.href.includes(when)) continue;
      state.matched++;
      if (state.matched > after && state.matched <= after + times) return fault;
    }
    return undefined;
  };

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://upstream');
    requests.push({ url, headers: request.headers });
    for (const check of waiting) check();
    const answer = () => {
      void (async () => {
        for (const route of routes) {
          const found = await route(url);
          if (found === undefined) continue;
          response.writeHead(found.status ?? 200, { 'content-type': found.type }).end(found.body);
          return;
        }
        response.writeHead(404, { 'content-type': 'text/plain' }).end('no such page\n');
      })();
    };
    const fault = faultFor(url);
    if (fault === undefined) answer();
    else commitFault(fault, response, answer);
  });
  const { url, close } = await listen(() => undefined, server);

  return {
    url,
    requests,
    count,
    misbehave(...next) {
      rules = next.map((rule) => ({ rule, matched: 0 }));
    },
    received: (wanted, part) =>
      new Promise((resolve) => {
        const check = () => {
          if (count(part) < wanted) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
    close,
  };
}
