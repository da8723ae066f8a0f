import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { FETCH_ERROR_HEADER } from '../../src/contracts/relay.ts';
import { TabmeshError, type ErrorCode, type WireError } from '../../src/lib/errors.ts';
import type { Clock } from '../../src/lib/clock.ts';
import type { Log } from '../../src/lib/log.ts';
import { createKeyedBuckets } from '../keyed-buckets.ts';
import { clientKey } from './client-address.ts';
import { statusOf } from './status.ts';

/** Worth a line in the log: somebody without the right to. */
const REFUSALS: readonly ErrorCode[] = ['unauthorized', 'forbidden', 'upstream_blocked'];
/** A flood of refusals by one address must not become a flood in the log. */
const REFUSAL_LINES = { burst: 10, perSecond: 0.2 };

/** Headers that belong to an error: RFC 9110 §10.2.3 (Retry-After, whole seconds) and RFC 6750 §3 (the challenge). */
function errorHeaders(error: WireError): Record<string, string> {
  const headers: Record<string, string> = {};
  const retryAfterMs = error.details['retryAfterMs'];
  if (typeof retryAfterMs === 'number') headers['retry-after'] = String(Math.max(1, Math.ceil(retryAfterMs / 1000)));
  if (error.code === 'unauthorized') headers['www-authenticate'] = 'Bearer realm="tabmesh"';
  return headers;
}

/** Answers with an error as `{"error": WireError}`. */
export function sendError(reply: FastifyReply, error: TabmeshError, status = statusOf(error.code)): FastifyReply {
  const wire = error.toWire();
  return reply
    .code(status)
    .headers({ ...errorHeaders(wire), [FETCH_ERROR_HEADER]: wire.code, 'cache-control': 'no-store' })
    .type('application/json; charset=utf-8')
    .send({ error: wire });
}

export interface ErrorHandlerDeps {
  readonly log: Log;
  readonly clock: Clock;
  readonly trustProxy: boolean;
}

/**
 * Fastify's error handler: whatever a route throws becomes a typed error. Refused callers leave one line in the log, so
 * that an operator sees (and a tool like fail2ban stops) somebody who tries; what nobody foresaw is logged, not shown.
 */
export function errorHandler({ log, clock, trustProxy }: ErrorHandlerDeps) {
  const lines = createKeyedBuckets(REFUSAL_LINES, clock);
  return (error: FastifyError | TabmeshError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const path = request.routeOptions.url ?? 'unknown';
    if (error instanceof TabmeshError) {
      const client = clientKey(request.raw, trustProxy);
      if (REFUSALS.includes(error.code) && lines.take(client)) log.warn('refused', { client, path, code: error.code });
      return sendError(reply, error);
    }
    const status = error.statusCode ?? 500;
    if (status === 413) {
      return sendError(reply, new TabmeshError('payload_too_large', 'the request is larger than this relay accepts'));
    }
    if (status >= 400 && status < 500) {
      return sendError(reply, new TabmeshError('invalid_input', oneLine(error.message)), status);
    }
    log.error('request failed', { method: request.method, path, error: error.stack });
    return sendError(reply, new TabmeshError('internal', 'the relay failed to answer; its log says more'));
  };
}

function oneLine(message: string): string {
  return message.split('\n')[0] ?? 'the request is malformed';
}
