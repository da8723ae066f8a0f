import type { ErrorCode } from '../../src/lib/errors.ts';

/**
 * The HTTP status of each failure, for REST and `/fetch` alike. What a service upstream did is 502, 503 or 504 (RFC 9110
 * §15.6): the relay is a gateway there.
 */
const STATUS: Readonly<Record<ErrorCode, number>> = {
  invalid_input: 400,
  payload_too_large: 413,
  unknown_tool: 404,
  not_found: 404,
  conflict: 409,
  unauthorized: 401,
  forbidden: 403,
  // nothing runs until the caller comes back with the handle: not 202, which says that it has been accepted
  approval_pending: 403,
  not_a_member: 403,
  rate_limited: 429,
  no_place: 503,
  peer_unreachable: 502,
  tool_failed: 500,
  invalid_output: 502,
  timeout: 504,
  // no registered status says it; 499 is what nginx logs and clients of gateways know
  cancelled: 499,
  upstream_unreachable: 502,
  upstream_error: 502,
  upstream_throttled: 503,
  upstream_malformed: 502,
  upstream_too_large: 502,
  upstream_blocked: 403,
  quota_exceeded: 507,
  format_newer: 409,
  storage_failed: 500,
  corrupt: 500,
  protocol_error: 502,
  version_mismatch: 502,
  unsupported: 501,
  internal: 500,
};

/** The HTTP status for an error code; 500 for one that a newer peer made up. */
export function statusOf(code: ErrorCode): number {
  return Object.hasOwn(STATUS, code) ? STATUS[code] : STATUS.internal;
}

/** The code, or `other` for one that a newer peer made up: as much as a header or a metric is to carry. */
export function knownCode(code: ErrorCode): ErrorCode | 'other' {
  return Object.hasOwn(STATUS, code) ? code : 'other';
}
