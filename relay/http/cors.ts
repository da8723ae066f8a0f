import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { OriginRules } from './request-origin.ts';
import { APPROVAL_HEADER, GRANTS_HEADER } from './rest/credentials.ts';

/** What pages of an allowed origin may ask. Everything else of the relay is for its own pages and for programs. */
const SHARED = /^\/(mcp|api|openapi\.json|\.well-known\/oauth-protected-resource)(\/|\?|$)/;
const METHODS = 'GET, POST, DELETE';
/** Headers that MCP (both wires), REST and Trace Context use. */
const ALLOWED_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'authorization',
  'content-type',
  'last-event-id',
  'mcp-method',
  'mcp-name',
  'mcp-protocol-version',
  'mcp-session-id',
  APPROVAL_HEADER,
  GRANTS_HEADER,
  'traceparent',
  'tracestate',
]);
/** MCP 2026-07-28: arguments that a tool wants as headers. */
const PARAMETER_HEADER = /^mcp-param-[a-z0-9-]{1,64}$/;
const EXPOSED = 'Mcp-Session-Id, Mcp-Protocol-Version, WWW-Authenticate, Retry-After, Traceparent';
/** A browser asks again after this, s; longer, and a change of the rules would go unnoticed. */
const MAX_AGE_S = '600';

/**
 * Lets pages of exactly the allowed origins read answers (https://fetch.spec.whatwg.org/#http-cors-protocol). A preflight
 * carries no credentials: it is answered before anybody is asked for a token. Other origins get no header at all.
 */
export function cors(app: FastifyInstance, { origins }: OriginRules): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers;
    if (!SHARED.test(request.url)) {
      done();
      return;
    }
    reply.header('vary', 'Origin');
    if (origin === undefined || !origins.includes(origin)) {
      done();
      return;
    }
    reply.headers({ 'access-control-allow-origin': origin, 'access-control-expose-headers': EXPOSED });
    if (isPreflight(request)) {
      answerPreflight(request, reply);
      return;
    }
    done();
  });
}

function isPreflight({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
}

function answerPreflight({ headers }: FastifyRequest, reply: FastifyReply): void {
  const asked = (headers['access-control-request-headers'] ?? '').split(',').map((name) => name.trim().toLowerCase());
  const allowed = asked.filter((name) => ALLOWED_HEADERS.has(name) || PARAMETER_HEADER.test(name));
  void reply
    .code(204)
    .headers({
      'access-control-allow-methods': METHODS,
      'access-control-allow-headers': allowed.join(', '),
      'access-control-max-age': MAX_AGE_S,
      // https://wicg.github.io/private-network-access/: a page of the web that asks this machine
      ...(headers['access-control-request-private-network'] === 'true'
        ? { 'access-control-allow-private-network': 'true' }
        : {}),
    })
    .send();
}
