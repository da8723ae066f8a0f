import { MAX_ARGUMENT_BYTES, MAX_CALL_MS } from '../../../src/tools/limits.ts';

/**
 * Largest POST body. Arguments have a limit of their own and are refused there with a typed result; the rest is what
 * JSON escapes of such arguments may add, which at worst are six characters for one.
 */
export const MAX_BODY_BYTES = 6 * MAX_ARGUMENT_BYTES + 64 * 1024;

/** Bounds of the sessions of clients that speak the older wire. */
export interface SessionLimits {
  /** without any request running or stream open */
  readonly idleMs: number;
  /** however busy: a stream that nobody reads any more can stay open for ever */
  readonly maxAgeMs: number;
  /** of all tokens of one member, of the relay's owner, or of one person at an identity provider */
  readonly perOwner: number;
  readonly total: number;
  readonly sweepMs: number;
}

export const SESSION_LIMITS: SessionLimits = {
  // clients of the older SDK do not start a new session by themselves, so a coffee break must not end theirs
  idleMs: 30 * 60 * 1000,
  maxAgeMs: 24 * 60 * 60 * 1000,
  perOwner: 32,
  total: 256,
  sweepMs: 30_000,
};

/** Streams of `subscriptions/listen` in one room: as many as there may be sessions. */
export const MAX_SUBSCRIPTIONS = SESSION_LIMITS.total;

/** Tabs come and go in bursts (a reload is both): clients are told once when it is over. */
export const LIST_CHANGED_QUIET_MS = 250;

/** Forty a second: more often nobody can read it. */
export const PROGRESS_INTERVAL_MS = 25;

/** A call that is answered within this is answered: a handle to ask with would come no sooner than the answer. */
export const TASK_AFTER_MS = 200;
/** A tool that may take this long is worth a task. The limit at which clients of MCP commonly give up waiting. */
export const LONG_TOOL_MS = 60_000;
/** The longest that a call may take, and a quarter of an hour to fetch what it came to. */
export const TASK_TTL_MS = MAX_CALL_MS + 15 * 60_000;
/** Often enough to see progress, seldom enough that it costs nothing. */
export const POLL_INTERVAL_MS = 1_000;
/**
 * Tasks of one principal that have not ended; a pipeline starts a few, not dozens. Calls over it are answered when they are
 * done, without a task.
 */
export const MAX_TASKS_PER_OWNER = 16;
/** Of all: an answer may have megabytes. */
export const MAX_TASKS = 128;
/** Tasks of one principal that have ended and whose answer is kept; the oldest goes first. */
export const MAX_ENDED_TASKS_PER_OWNER = 16;
export const TASK_SWEEP_MS = 60_000;

/** Events kept for a session whose connection breaks: minutes of progress. */
export const MAX_EVENTS = 256;
/** Of one session: a few large answers, and with all sessions not more than a machine has. */
export const MAX_EVENT_BYTES = 4 * 1024 * 1024;
/** A client whose stream was closed comes back after this, ms. */
export const RETRY_INTERVAL_MS = 1_000;

/** Resources that one client watches: all that a page shows, not all that a room has. */
export const MAX_WATCHED = 256;
/** That all clients of an address watch: what one listener at a member may name (`src/peer/room/mcp-listen.ts`). */
export const MAX_WATCHED_TOGETHER = 1_024;
/** A peer that cannot be listened to, or could not, is asked again after this. */
export const LISTEN_RETRY_MS = 30_000;
/** An address of the endpoint that nobody uses is forgotten; it is made anew in a round trip. */
export const TARGET_IDLE_MS = 10 * 60_000;
export const TARGET_SWEEP_MS = 60_000;

/** Tools in one page of the list: every room of today fits, and a peer with hundreds does not fill a client at once. */
export const TOOLS_PAGE = 100;
/** Members that are asked at once for what only they know, and how long they have. */
export const ASK_PEERS_AT_ONCE = 8;
export const ASK_PEERS_MS = 2_000;

/** Definitions of other peers' tools that are remembered for a room; what comes beyond is not listed. */
export const MAX_PINS = 2_048;
/** Of them those that one device was the first to offer: several times what an honest member has. */
export const MAX_PINS_PER_DEVICE = 256;
/** Definitions that wait for somebody to decide: more than anybody looks through. Those over it are not listed either. */
export const MAX_QUARANTINED = 256;
/** Of a definition that is kept to be compared with a later one, as JSON: a long schema; of a larger one the hash is kept. */
export const MAX_KEPT_DEFINITION_CHARS = 16 * 1024;
/** Of all of a room: some hundred tools with long schemas, and a file that is written in a moment. */
export const MAX_KEPT_CHARS = 2 * 1024 * 1024;
/** As long as one `subscriptions/listen` at a peer may stay; it is begun anew then. */
export const LISTEN_MS = 24 * 60 * 60_000;
