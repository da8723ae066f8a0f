/**
 * The one error type that leaves a module. A failure is told apart by its `code`, which is stable and
 * travels unchanged over every hop (mesh, MCP, REST, worker); `message` says what and where, `hint` what to do.
 */

/** Every failure that a caller can meet. Add a code here before throwing it; never reuse one for another meaning. */
export type ErrorCode =
  // the caller's input
  | 'invalid_input' // arguments do not fit the schema
  | 'payload_too_large' // arguments, frame, record or body over its limit
  | 'unknown_tool' // no such tool in this room
  | 'not_found' // a named thing (dataset, record, run, peer) does not exist
  | 'conflict' // the thing exists already, or changed meanwhile
  // who may do what
  | 'unauthorized' // no or wrong token, ticket or proof
  | 'forbidden' // authenticated, but not allowed
  | 'approval_pending' // the person at the place has not answered yet; `details.handle` to repeat the call with
  | 'not_a_member' // the connection has not proven membership of the room
  | 'rate_limited' // over a quota; `details.retryAfterMs` when known
  // places
  | 'no_place' // nobody here offers the tool now
  | 'peer_unreachable' // the chosen peer is gone or cannot be dialled
  | 'tool_failed' // the tool threw something that is not one of these
  | 'invalid_output' // the tool answered something its output schema forbids
  | 'timeout'
  | 'cancelled'
  // upstream services
  | 'upstream_unreachable' // network failure, refused connection
  | 'upstream_error' // 5xx or an error reply, after the retries
  | 'upstream_throttled' // 429 after the retries; `details.retryAfterMs` when the service said
  | 'upstream_malformed' // an answer that is not what the service documents
  | 'upstream_too_large' // an answer over the size bound
  | 'upstream_blocked' // the host is not on the allow-list, or its address is not public
  // storage
  | 'quota_exceeded' // the browser or disk has no room
  | 'format_newer' // stored by a newer version: "update this app"
  | 'storage_failed'
  | 'corrupt' // bytes do not hash to their CID, or a stored document does not decode
  // wire
  | 'protocol_error' // a frame or message that breaks the protocol
  | 'version_mismatch' // no common protocol version
  | 'unsupported' // this runtime lacks what is needed
  | 'internal';

/** The JSON form of a {@link TabmeshError}, the same on every wire. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string | null;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface TabmeshErrorOptions {
  /** what the person or program can do about it */
  hint?: string;
  /** true when the same call may succeed later, unchanged */
  retryable?: boolean;
  /** JSON values only; never secrets */
  details?: Record<string, unknown>;
  cause?: unknown;
}

/** See the module comment. `name` is always `TabmeshError`; tell failures apart by `code`. */
export class TabmeshError extends Error {
  override readonly name = 'TabmeshError';
  readonly code: ErrorCode;
  readonly hint: string | null;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: TabmeshErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint ?? null;
    this.retryable = options.retryable ?? false;
    this.details = options.details ?? {};
  }

  /** The JSON form; `cause` and the stack stay here. */
  toWire(): WireError {
    return {
      code: this.code,
      message: this.message,
      hint: this.hint,
      retryable: this.retryable,
      details: this.details,
    };
  }

  /** Rebuilds an error from its JSON form. */
  static fromWire(wire: WireError): TabmeshError {
    return new TabmeshError(wire.code, wire.message, {
      ...(wire.hint === null ? {} : { hint: wire.hint }),
      retryable: wire.retryable,
      details: { ...wire.details },
    });
  }
}

/**
 * Turns anything thrown into a {@link TabmeshError}: aborts become `cancelled` (or `timeout` for
 * `TimeoutError`), quota errors `quota_exceeded`, the rest `fallback`.
 */
export function toTabmeshError(thrown: unknown, fallback: ErrorCode = 'internal'): TabmeshError {
  if (thrown instanceof TabmeshError) return thrown;
  if (isWireError(thrown)) return TabmeshError.fromWire(thrown);
  const name = nameOf(thrown);
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (name === 'TimeoutError') {
    return new TabmeshError('timeout', 'the time limit passed', { cause: thrown, retryable: true });
  }
  if (name === 'AbortError') return new TabmeshError('cancelled', 'cancelled', { cause: thrown });
  if (name === 'QuotaExceededError') {
    return new TabmeshError('quota_exceeded', 'there is no storage space left', {
      hint: 'Delete datasets you no longer need, or free space on this device.',
      cause: thrown,
    });
  }
  return new TabmeshError(fallback, message, { cause: thrown });
}

/** True for a value that has the shape of a {@link WireError}. */
export function isWireError(value: unknown): value is WireError {
  if (typeof value !== 'object' || value === null) return false;
  const candidate = value as Record<string, unknown>;
  return (
    typeof candidate['code'] === 'string' &&
    typeof candidate['message'] === 'string' &&
    typeof candidate['retryable'] === 'boolean' &&
    typeof candidate['details'] === 'object'
  );
}

function nameOf(thrown: unknown): string {
  return typeof thrown === 'object' && thrown !== null && 'name' in thrown ? String(thrown.name) : '';
}
