import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { FETCH_ERROR_HEADER } from '../../src/contracts/relay.ts';
import { TabmeshError, type ErrorCode, type WireError } from '../../src/lib/errors.ts';
import type { Clock } from '../../src/lib/clock.ts';
import type { Log } from '../../src/lib/log.ts';
import type { AuditRecord, AuditSink } from '../../src/contracts/audit.ts';
import { createKeyedBuckets } from '../keyed-buckets.ts';
import { clientKey } from './client-address.ts';
import { PROBLEM_TYPE, toProblem } from './problem.ts';
import { isScope } from './gate/scope.ts';
import { knownCode, statusOf } from './status.ts';

/** Worth a line in the log: somebody without the right to. */
const REFUSALS: readonly ErrorCode[] = ['unauthorized', 'forbidden', 'upstream_blocked'];
/** Worth a number in the metrics. */
const COUNTED: readonly ErrorCode[] = [...REFUSALS, 'rate_limited'];
/** A flood of refusals by one address must not become a flood in the log. */
const REFUSAL_LINES = { burst: 10, perSecond: 0.2 };

/** Nobody waits longer than a day; a peer may have named any number. */
const MAX_RETRY_AFTER_S = 86_400;

/** Headers that belong to an error: RFC 9110 §10.2.3 (Retry-After, whole seconds) and RFC 6750 §3 (the challenge). */
function errorHeaders(error: WireError): Record<string, string> {
  const headers: Record<string, string> = {};
  const retryAfterMs = error.details['retryAfterMs'];
  if (typeof retryAfterMs === 'number') {
    const seconds = Math.ceil(retryAfterMs / 1000);
    headers['retry-after'] = String(Math.min(Math.max(1, seconds), MAX_RETRY_AFTER_S));
  }
  const challenge = challengeOf(error);
  if (challenge !== null) headers['www-authenticate'] = challenge;
  return headers;
}

/** RFC 6750 §3: what is wrong with the token, or missing from it. A request without one is told nothing more. */
function challengeOf({ code, details }: WireError): string | null {
  const start = 'Bearer realm="tabmesh"';
  if (code === 'unauthorized') return details['invalidToken'] === true ? `${start}, error="invalid_token"` : start;
  const { requiredScope } = details;
  if (code !== 'forbidden' || requiredScope === undefined) return null;
  // the error may be one that a peer has made up
  const scope = isScope(requiredScope) ? `, scope="${requiredScope}"` : '';
  return `${start}, error="insufficient_scope"${scope}`;
}

/** Answers with an error as a problem document, whose member `error` is the WireError. */
export function sendError(reply: FastifyReply, error: TabmeshError, status = statusOf(error.code)): FastifyReply {
  const wire = error.toWire();
  return reply
    .code(status)
    .headers({ ...errorHeaders(wire), [FETCH_ERROR_HEADER]: knownCode(wire.code), 'cache-control': 'no-store' })
    .type(PROBLEM_TYPE)
    .send(toProblem(wire, status));
}

export interface ErrorHandlerDeps {
  readonly log: Log;
  readonly clock: Clock;
  readonly trustProxy: boolean;
  readonly audit: AuditSink;
  /** counts what is refused before it is a call */
  readonly refused: (reason: string) => void;
}

/**
 * Fastify's error handler: whatever a route throws becomes a typed error. Refused callers leave one line in the log, so
 * that an operator sees (and a tool like fail2ban stops) somebody who tries; what nobody foresaw is logged, not shown.
 */
export function errorHandler({ log, clock, trustProxy, audit, refused }: ErrorHandlerDeps) {
  const lines = createKeyedBuckets(REFUSAL_LINES, clock);
  return (error: FastifyError | TabmeshError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const path = request.routeOptions.url ?? 'unknown';
    if (error instanceof TabmeshError) {
      const client = clientKey(request.raw, trustProxy);
      if (COUNTED.includes(error.code)) refused(error.code);
      if (REFUSALS.includes(error.code)) {
        if (lines.take(client)) {
          log.warn('refused', { client, path, code: error.code });
          // what an authenticated caller was refused is in the log of calls
          if (error.details['requiredScope'] === undefined) audit.record(refusal(client, path, error.code));
        }
      }
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

function refusal(client: string, path: string, outcome: ErrorCode): AuditRecord {
  const who = { kind: 'nobody', id: client, name: client } as const;
  return { event: 'refused', who, what: path, where: null, tookMs: null, outcome, trace: null };
}

function oneLine(message: string): string {
  return message.split('\n')[0] ?? 'the request is malformed';
}
