import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { FETCH_ERROR_HEADER } from '../../../src/contracts/relay.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { Tickets } from '../../tickets.ts';
import { bearerToken } from '../bearer.ts';
import { disconnectSignal } from '../disconnect.ts';
import type { FetchQuota } from './quota.ts';
import type { Upstreams } from './upstreams.ts';

/** Whatever a service sends, a browser that opens it on our origin runs none of it. */
const CONTENT_SECURITY_POLICY = "sandbox; default-src 'none'";
/** What a client of these services reads; everything else a service sends (cookies above all) stays here. */
const PASSED_HEADERS = ['content-type', 'retry-after', 'etag', 'last-modified', 'link', 'x-total-results'];
const PASSED_PREFIXES = ['ratelimit', 'x-ratelimit'];
/** Preflight answers do not change while the relay runs. */
const PREFLIGHT_SECONDS = 3600;

export interface FetchRouteDeps {
  readonly tickets: Tickets;
  readonly upstreams: Upstreams;
  readonly quota: FetchQuota;
  /** exact origins whose pages may read the answers */
  readonly origins: readonly string[];
}

/** `GET /fetch?url=…` with `Authorization: Bearer TICKET`: one GET to a research service, for a member of a room. */
export function fetchRoute(app: FastifyInstance, { tickets, upstreams, quota, origins }: FetchRouteDeps): void {
  app.addHook('onRequest', (request, reply, done) => {
    const origin = request.headers.origin;
    reply.header('vary', 'origin').header('content-security-policy', CONTENT_SECURITY_POLICY);
    reply.header('cache-control', 'no-store').header('access-control-expose-headers', exposed(['retry-after']));
    if (origin === undefined) {
      done();
    } else if (origins.includes(origin)) {
      reply.header('access-control-allow-origin', origin);
      done();
    } else {
      done(new TabmeshError('forbidden', `pages of ${origin} may not fetch through this relay`));
    }
  });

  app.options('/fetch', (_request, reply) =>
    reply
      .code(204)
      .header('access-control-allow-methods', 'GET')
      .header('access-control-allow-headers', 'authorization, accept')
      .header('access-control-max-age', String(PREFLIGHT_SECONDS))
      .send(),
  );

  app.get('/fetch', { exposeHeadRoute: false }, async (request, reply) => {
    const ticket = tickets.verify(bearerToken(request.headers.authorization) ?? '');
    if (ticket === undefined) {
      throw new TabmeshError('unauthorized', 'the ticket for fetching is missing or has expired', {
        hint: 'Ask a member relay for a new one over the mesh.',
      });
    }
    const url = queryUrl(request);
    const release = quota.take(ticket.id);
    reply.raw.once('close', release);
    const answer = await upstreams.get(url, {
      signal: disconnectSignal(reply.raw),
      accept: request.headers.accept,
    });
    // an answer that breaks before its first byte is still a typed error; later only the connection can break
    const first = await answer.body.next();
    const passed = passedHeaders(answer.headers);
    reply
      .code(answer.status)
      .headers(passed)
      .header('access-control-expose-headers', exposed(Object.keys(passed)));
    return send(reply, first, answer.body);
  });
}

function send(
  reply: FastifyReply,
  first: IteratorResult<Uint8Array, void>,
  rest: AsyncGenerator<Uint8Array, void, void>,
): FastifyReply {
  if (first.done === true) return reply.send('');
  const chunk = first.value;
  async function* whole() {
    try {
      yield chunk;
      yield* rest;
    } finally {
      // reached also when the client went away before the rest was touched
      await rest.return();
    }
  }
  return reply.send(Readable.from(whole(), { objectMode: false }));
}

function queryUrl(request: FastifyRequest): string {
  const { url } = request.query as { readonly url?: unknown };
  if (typeof url === 'string' && url !== '') return url;
  throw new TabmeshError('invalid_input', 'the query has no single "url"', { hint: 'GET /fetch?url=https%3A%2F%2F…' });
}

function passedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const passed = Object.entries(headers).filter(
    ([name]) => PASSED_HEADERS.includes(name) || PASSED_PREFIXES.some((prefix) => name.startsWith(prefix)),
  );
  return { 'content-type': 'application/octet-stream', ...Object.fromEntries(passed) };
}

const exposed = (names: readonly string[]) => [...names, FETCH_ERROR_HEADER].join(', ');
