import type { ErrorCode } from '../lib/errors.ts';

/** Who did it, in the audit log. A client without a token that was good is `nobody`, as is a log that speaks of itself. */
export interface AuditActor {
  readonly kind: 'token' | 'device' | 'nobody';
  readonly id: string;
  readonly name: string;
  /** the device of the relay that vouches for a token; absent at the relay itself */
  readonly issuer?: string;
  /** devices that handed the call on, in the order of the hops */
  readonly via?: readonly string[];
}

/** What an entry is about. */
export type AuditEventName =
  // a tool was called by a client of this relay
  | 'call'
  // a call that another peer made was served here
  | 'served'
  // somebody was refused at the relay's door
  | 'refused'
  | 'token.created'
  | 'token.revoked'
  // the person's answers to calls that ask, and what others may do without asking
  | 'approval.once'
  | 'approval.always'
  | 'approval.no'
  | 'approval.revoked'
  | 'access.changed'
  | 'grant.issued'
  | 'grant.revoked'
  // decisions on tools of other peers whose definition has changed
  | 'definition.accepted'
  | 'definition.refused'
  | 'definition.forgotten'
  | 'relay.started'
  | 'relay.stopped'
  // what happened to the log itself: `what` says it
  | 'audit.note';

/** One line of the audit log before it is chained: who, what, where, how long, with what outcome. */
export interface AuditEvent {
  readonly event: AuditEventName;
  readonly who: AuditActor;
  /** the tool; id and name of a token, hash of a definition, CID of a grant; for `refused` the route */
  readonly what: string;
  /** the peer that served it and its name; null when nothing has left the place of the log */
  readonly where: { readonly peer: string; readonly name: string } | null;
  /** ms; null where nothing took time */
  readonly tookMs: number | null;
  readonly outcome: 'ok' | ErrorCode;
  /** keyed hash of the arguments' canonical JSON, hexadecimal; null without arguments */
  readonly argsHmac: string | null;
  /** the arguments themselves, only where the owner of the log has switched that on */
  readonly args?: unknown;
  /** W3C trace id: 32 hexadecimal digits */
  readonly trace: string | null;
  /** of a decision: whom it is about */
  readonly about?: AuditActor;
  /** how many calls alike the entry stands for, when they came too fast to write down each; absent: one */
  readonly calls?: number;
}

/** What is to be written down; the arguments are turned into their keyed hash on the way. */
export type AuditRecord = Omit<AuditEvent, 'argsHmac' | 'args'> & { readonly args?: unknown };

/** Takes records. Never waits and never throws: a call is not slowed down by what is written about it. */
export interface AuditSink {
  record(event: AuditRecord): void;
}

/** A line of the audit log: the event, its place in the chain, and the hash that the next line carries on. */
export interface AuditEntry extends AuditEvent {
  readonly v: 1;
  /** grows by one from line to line, over all segments */
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
  /** id or name */
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
  /** segment, line and what is wrong with it; null when all is well */
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

/** A stretch of a stored log, which is deleted as a whole: a file, or as much in a key-value store. */
export interface AuditSegment {
  /** grows by one */
  readonly number: number;
  /** as a verdict names it */
  readonly name: string;
  /** of its lines in UTF-8 */
  readonly bytes: number;
  /** ms since the epoch, of the last write */
  readonly writtenAt: number;
}

/** An event that is not yet in the chain. */
export interface UnchainedEvent {
  readonly event: AuditEvent;
  /** ms since the epoch */
  readonly at: number;
}

/**
 * Where the lines of an audit log lie. It knows nothing of what is in them. One contract suite runs over all of them
 * (`tests/contract/audit-store.ts`).
 */
export interface AuditStore {
  /** what was mended when it was opened, in words; null when nothing had to be */
  readonly mended: string | null;
  /** lets one writer at a time work, over all who share the log */
  exclusive<T>(work: () => Promise<T>): Promise<T>;
  /** number and size of the newest segment; null of an empty log */
  tail(): Promise<Pick<AuditSegment, 'number' | 'bytes'> | null>;
  /** oldest first */
  segments(): Promise<readonly AuditSegment[]>;
  /** the complete lines of a segment, without their ends; none of one that is gone */
  lines(segment: number): Promise<readonly string[]>;
  /**
   * Appends lines to the newest segment, or begins the one after it; within `exclusive` only. The writing has begun when it
   * returns, and is durable when it resolves; when it rejects, nothing was written.
   * @param at ms since the epoch
   */
  append(segment: number, text: string, at: number): Promise<void>;
  /** deletes the oldest segment; one that is gone is fine */
  remove(segment: number): Promise<void>;
  close(): Promise<void>;
  /** for a process that may end at any moment; absent where an orderly end is waited for */
  readonly shelf?: AuditShelf;
}

/** Where events are left by a page that is closed: it has no time to wait for its turn to write. */
export interface AuditShelf {
  /** the writing has begun when it returns */
  put(events: readonly UnchainedEvent[]): Promise<void>;
  /** What was left, oldest first; the next `append` takes it off, in one with what it writes. Within `exclusive` only. */
  take(): Promise<readonly UnchainedEvent[]>;
}
