import type { ErrorCode } from '../lib/errors.ts';
import type { DeviceId, RoomId } from '../lib/ids.ts';
import type { AccessClass, TokenScope } from './tools.ts';

/** All access classes, from the one that asks least of a place to the one that asks most. */
export const ACCESS_CLASSES: readonly AccessClass[] = ['read', 'compute', 'write', 'admin'];

/** What a token that names no classes may do, and what a token principal without a scope may do. */
export const DEFAULT_CLASSES: readonly AccessClass[] = ['read', 'compute'];

/** What somebody asks for with a new token. */
export interface TokenRequest {
  /** shown in lists and in the audit log */
  readonly name: string;
  /** {@link DEFAULT_CLASSES} when absent */
  readonly classes?: readonly AccessClass[];
  /** all when absent or null */
  readonly tools?: readonly string[] | null;
  /** calls a minute; the relay's own limit when absent or null */
  readonly perMinute?: number | null;
  /** ms since the epoch; never when absent or null */
  readonly expiresAt?: number | null;
}

/** What is told of a token after it was made: all but the token. */
export interface TokenInfo extends TokenScope {
  readonly id: string;
  readonly name: string;
  /** null: the relay's own room, whichever that is */
  readonly room: RoomId | null;
  /** the member that it was made for; null when the relay's owner made it */
  readonly device: DeviceId | null;
  readonly perMinute: number | null;
  /** ms since the epoch */
  readonly createdAt: number;
  /** ms since the epoch; null when it was not used since the relay started */
  readonly lastUsedAt: number | null;
}

/** Who did it, in the audit log. A client without a token that was good is `nobody`. */
export interface AuditActor {
  readonly kind: 'token' | 'device' | 'nobody';
  readonly id: string;
  readonly name: string;
}

/** One line of the audit log before it is chained: who, what, where, how long, with what outcome. */
export interface AuditEvent {
  /** `call`: a tool was called. The others name what was done to the relay itself, or refused at its door. */
  readonly event:
    | 'call'
    | 'refused'
    | 'token.created'
    | 'token.revoked'
    | 'relay.started'
    | 'relay.stopped'
    // what happened to the log itself: `what` says it
    | 'audit.note';
  readonly who: AuditActor;
  /** the tool, or id and name of the token; for `refused` the route */
  readonly what: string;
  /** the peer that served it and its name; null when nothing has left the relay */
  readonly where: { readonly peer: string; readonly name: string } | null;
  /** ms; null where nothing took time */
  readonly tookMs: number | null;
  readonly outcome: 'ok' | ErrorCode;
  /** keyed hash of the arguments' canonical JSON, hexadecimal; null without arguments */
  readonly argsHmac: string | null;
  /** the arguments themselves, only when the relay's owner has switched that on */
  readonly args?: unknown;
  /** W3C trace id: 32 hexadecimal digits */
  readonly trace: string | null;
}

/** A line of the audit log: the event, its place in the chain, and the hash that the next line carries on. */
export interface AuditEntry extends AuditEvent {
  readonly v: 1;
  /** grows by one from line to line, over all files */
  readonly seq: number;
  /** ISO 8601 */
  readonly at: string;
  /** hash of the line before; 64 zeros for the first there ever was */
  readonly prev: string;
  /** hexadecimal SHA-256 over `prev` and this line without `hash` */
  readonly hash: string;
}

/** Which entries to read: those that fit all that is given. */
export interface AuditQuery {
  /** entries before this number, for the next page */
  readonly before?: number;
  readonly limit: number;
  readonly who?: string;
  readonly tool?: string;
  readonly outcome?: string;
  readonly trace?: string;
}

/** What a check of the whole chain found. */
export interface AuditVerdict {
  readonly ok: boolean;
  readonly entries: number;
  /** numbers of the first and the last entry that are kept; null of an empty log */
  readonly first: number | null;
  readonly last: number | null;
  /** hash of the last entry: who notes it elsewhere can tell later that nothing was cut off */
  readonly head: string | null;
  /** file, line and what is wrong with it; null when all is well */
  readonly broken: { readonly file: string; readonly line: number; readonly reason: string } | null;
}

/** The audit log, for those who may read it. Newest first. */
export interface AuditPort {
  read(
    query: AuditQuery,
    signal: AbortSignal,
  ): Promise<{ readonly entries: readonly AuditEntry[]; readonly more: boolean }>;
  verify(signal: AbortSignal): Promise<AuditVerdict>;
}
