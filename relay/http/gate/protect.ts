import type { FastifyInstance, FastifyRequest } from 'fastify';
import { formatTraceparent, newTrace, parseTraceparent, TRACEPARENT } from '../../../src/lib/traceparent.ts';
import type { Authenticate } from '../auth.ts';
import { checkOrigin, type OriginRules } from '../request-origin.ts';
import type { Caller } from './caller.ts';
import { runFor, type RequestContext } from './context.ts';
import type { LiveRequests } from './live-requests.ts';

export interface Protection {
  readonly rules: OriginRules;
  readonly authenticate: Authenticate;
  readonly live: LiveRequests;
  /** what answers 401 and 403 name for clients that can ask an identity provider; null without one */
  readonly resourceMetadata: string | null;
}

/** What a request's body or path says of the call that it makes. */
export interface AskedCall {
  /** null when it calls no tool */
  readonly tool: string | null;
  /** from the body; the header of the same name counts when there is none */
  readonly traceparent?: unknown;
}

/**
 * Puts the routes of this scope behind origin check, authentication, scope and rate limits. Handlers find the `Caller` in
 * the decorator `caller`.
 * @param read what a request asks for; its body has been parsed
 */
export function protect(
  app: FastifyInstance,
  { rules, authenticate, live, resourceMetadata }: Protection,
  read: (request: FastifyRequest) => AskedCall,
): void {
  app.decorateRequest<Caller | null>('caller', null);

  app.addHook('onRequest', async (request, reply) => {
    checkOrigin(request.headers, rules);
    // before the body is read: a stranger's megabyte is not worth the memory
    const caller = await authenticate(request.headers.authorization);
    request.setDecorator<Caller>('caller', caller);
    live.add(caller.holder, reply.raw);
  });

  app.addHook('preHandler', (request, reply, done) => {
    const caller = request.getDecorator<Caller>('caller');
    const { tool, traceparent } = read(request);
    const trace = parseTraceparent(traceparent) ?? parseTraceparent(request.headers[TRACEPARENT]) ?? newTrace();
    reply.header(TRACEPARENT, formatTraceparent(trace));
    const context: RequestContext = { caller, trace, admitted: null };
    runFor(context, () => {
      if (tool === null) caller.admitRequest();
      else if (caller.admit(tool)) context.admitted = tool;
      done();
    });
  });

  if (resourceMetadata === null) return;
  // RFC 9728 §5.1: where a client learns which authorization server to ask
  app.addHook('onSend', (_request, reply, payload, done) => {
    const challenge = reply.getHeader('www-authenticate');
    if (typeof challenge === 'string') {
      reply.header('www-authenticate', `${challenge}, resource_metadata="${resourceMetadata}"`);
    }
    done(null, payload);
  });
}
