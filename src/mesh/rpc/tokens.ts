import type { ErrorCode, TabmeshErrorOptions } from '../../lib/errors.ts';
import { TabmeshError } from '../../lib/errors.ts';

/** What a refusal does to the stream it happened on: an answer to one message, or its end (`fail closed`). */
type Effect = 'answer' | 'close';

/**
 * The stable error tokens of MCP++ Profile E, those of its older handler (`init_required` … `unauthorized`), and ours.
 * They travel in `details.token` and never change their meaning; programs compare them, people read the message.
 */
const TOKENS = {
  // what a frame or message is
  payload_not_object: ['protocol_error', 'close'],
  frame_too_large: ['payload_too_large', 'answer'],
  frame_not_bytes: ['protocol_error', 'close'],
  incomplete_prefix: ['protocol_error', 'close'],
  incomplete_frame: ['protocol_error', 'close'],
  declared_frame_too_large: ['payload_too_large', 'close'],
  // what it refers to
  duplicate_in_flight_id: ['conflict', 'answer'],
  duplicate_frame: ['conflict', 'answer'],
  unknown_request_id: ['protocol_error', 'answer'],
  already_cancelled: ['cancelled', 'answer'],
  response_missing_id: ['protocol_error', 'close'],
  duplicate_response_id: ['protocol_error', 'answer'],
  // how much of it there is
  stream_quota_exceeded: ['rate_limited', 'close'],
  in_flight_quota_exceeded: ['rate_limited', 'answer'],
  in_flight_limit: ['rate_limited', 'answer'],
  message_rate_or_bandwidth_exceeded: ['rate_limited', 'close'],
  idle_timeout: ['timeout', 'close'],
  // who speaks, and what
  init_required: ['protocol_error', 'close'],
  unauthorized: ['not_a_member', 'close'],
  method_not_found: ['unsupported', 'answer'],
  unsupported_version: ['version_mismatch', 'answer'],
  /** an answer that a relayed link must not carry */
  relayed_answer_too_large: ['payload_too_large', 'answer'],
} as const satisfies Readonly<Record<string, readonly [ErrorCode, Effect]>>;

export type ProtocolToken = keyof typeof TOKENS;

/** All of them, in the order of the list above. */
export const PROTOCOL_TOKENS: readonly ProtocolToken[] = Object.keys(TOKENS) as ProtocolToken[];

/** A refusal that names its token. Its code follows from the token. */
export function refusal(token: ProtocolToken, message: string, options: TabmeshErrorOptions = {}): TabmeshError {
  return new TabmeshError(TOKENS[token][0], message, { ...options, details: { ...options.details, token } });
}

/** The token that an error carries, if it is one of ours. */
export function tokenOf(error: TabmeshError): ProtocolToken | undefined {
  const { token } = error.details;
  return typeof token === 'string' && Object.hasOwn(TOKENS, token) ? (token as ProtocolToken) : undefined;
}

/** True when an error ends the stream it happened on. */
export function failsClosed(error: TabmeshError): boolean {
  const token = tokenOf(error);
  return token !== undefined && TOKENS[token][1] === 'close';
}

/**
 * How the older handler calls a refusal in its error's `message`: it has one name for both ends of a frame that is too
 * large.
 */
export function handlerName(token: ProtocolToken): string {
  return token === 'declared_frame_too_large' ? 'frame_too_large' : token;
}
