import { randomUUID } from 'node:crypto';
import {
  isInitializeRequest,
  WebStandardStreamableHTTPServerTransport,
  type McpServer,
} from '@modelcontextprotocol/server';
import type { Clock } from '../../../src/lib/clock.ts';
import type { Log } from '../../../src/lib/log.ts';
import type { Caller } from '../auth.ts';
import { ownerKey } from '../gate/owner-key.ts';
import { createEventStore } from './event-store.ts';
import { jsonRpcError } from './json-rpc-error.ts';
import { MAX_BODY_BYTES, RETRY_INTERVAL_MS, type SessionLimits } from './limits.ts';
import { onBodyEnd } from './on-body-end.ts';
import type { Target } from './target.ts';

/** `mcp-session-id` of the 2025 revisions. */
const SESSION_HEADER = 'mcp-session-id';
/** JSON-RPC codes that the SDK uses for the same refusals. */
const SESSION_NOT_FOUND = -32_001;
const NO_SESSION = -32_000;
const SERVER_BUSY = -32_000;

interface Session {
  readonly tokenId: string;
  /** by whom it is counted */
  readonly owner: string;
  readonly target: Target;
  readonly server: McpServer;
  readonly detach: () => void;
  readonly transport: WebStandardStreamableHTTPServerTransport;
  readonly startedAt: number;
  /** requests running and streams open */
  open: number;
  usedAt: number;
}

/**
 * The sessions of clients that speak a revision before 2026-07-28. A session id is no authority: it works with the token that
 * began it only, and at the address where it began.
 */
export interface Sessions {
  handle(request: Request, parsedBody: unknown, caller: Caller, target: Target): Promise<Response>;
  /** ends those of a token that was taken back */
  endOf(tokenId: string): Promise<void>;
  count(): number;
  close(): Promise<void>;
}

export interface SessionsOptions {
  readonly limits: SessionLimits;
  readonly clock: Clock;
  readonly log: Log;
}

/** Makes an empty {@link Sessions}; it sweeps until closed. */
export function createSessions({ limits, clock, log }: SessionsOptions): Sessions {
  const sessions = new Map<string, Session>();
  const stop = new AbortController();

  const end = async (id: string, why: string) => {
    const session = sessions.get(id);
    if (session === undefined) return;
    sessions.delete(id);
    session.detach();
    log.debug('mcp session ended', { why, tokenId: session.tokenId });
    try {
      await session.server.close();
    } catch (error) {
      log.warn('mcp session did not close', { error: String(error) });
    }
  };

  const sweep = async () => {
    const now = clock.now();
    const over = [...sessions].filter(
      ([, { open, usedAt, startedAt }]) =>
        now - startedAt >= limits.maxAgeMs || (open === 0 && now - usedAt >= limits.idleMs),
    );
    await Promise.all(over.map(([id]) => end(id, 'expired')));
  };

  const sweeping = async () => {
    while (!stop.signal.aborted) {
      await clock.sleep(limits.sweepMs, stop.signal);
      await sweep();
    }
  };
  // it ends only by `stop`: closing a session reports its own failures
  sweeping().catch(() => undefined);

  const hasRoom = async (owner: string): Promise<boolean> => {
    if (sessions.size < Math.min(limits.perOwner, limits.total)) return true;
    const byOwner = Map.groupBy(sessions, ([, session]) => session.owner);
    const mine = byOwner.get(owner) ?? [];
    if (mine.length < limits.perOwner && sessions.size < limits.total) return true;
    // when all are too many, those of who has most, but never of somebody who has no more than this one
    const others = [...byOwner.values()].filter((theirs) => theirs.length > mine.length);
    const crowded = mine.length >= limits.perOwner ? [mine] : [mine, ...others.sort((a, b) => b.length - a.length)];
    const idle = crowded.map(idlest).find((id) => id !== undefined);
    if (idle === undefined) return false;
    await end(idle, 'made room for a newer one');
    return true;
  };

  const begin = async (caller: Caller, target: Target): Promise<Session> => {
    const transport: WebStandardStreamableHTTPServerTransport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      maxRequestBodySize: MAX_BODY_BYTES,
      eventStore: createEventStore(),
      retryInterval: RETRY_INTERVAL_MS,
      onsessioninitialized: (id) => {
        sessions.set(id, session);
      },
      onsessionclosed: (id) => end(id, 'closed by the client'),
    });
    const now = clock.now();
    const { server, detach } = target.attach(caller);
    const session: Session = {
      tokenId: caller.principal.tokenId,
      owner: ownerKey(caller.holder),
      target,
      server,
      detach,
      transport,
      startedAt: now,
      open: 0,
      usedAt: now,
    };
    await server.connect(transport);
    return session;
  };

  return {
    async handle(request, parsedBody, caller, target) {
      const id = request.headers.get(SESSION_HEADER);
      const { tokenId } = caller.principal;
      const known = id === null ? undefined : sessions.get(id);
      if (id !== null && (known?.tokenId !== tokenId || known.target !== target)) {
        return jsonRpcError(404, SESSION_NOT_FOUND, 'Session not found');
      }
      if (known === undefined && !isInitializeRequest(parsedBody)) {
        return jsonRpcError(400, NO_SESSION, 'Bad Request: begin with an initialize request');
      }
      if (known === undefined && !(await hasRoom(ownerKey(caller.holder)))) {
        return jsonRpcError(503, SERVER_BUSY, 'This relay has as many sessions as it can keep');
      }
      const session = known ?? (await begin(caller, target));
      session.open++;
      const ended = () => {
        session.open--;
        session.usedAt = clock.now();
      };
      try {
        const options = parsedBody === undefined ? {} : { parsedBody };
        const response = await session.transport.handleRequest(request, options);
        // a handshake that was refused leaves nothing behind
        if (known === undefined && session.transport.sessionId === undefined) session.detach();
        return onBodyEnd(response, ended, request);
      } catch (error) {
        ended();
        throw error;
      }
    },
    async endOf(tokenId) {
      const mine = [...sessions].filter(([, session]) => session.tokenId === tokenId);
      await Promise.all(mine.map(([id]) => end(id, 'its token was taken back')));
    },
    count: () => sessions.size,
    async close() {
      stop.abort();
      await Promise.all([...sessions.keys()].map((id) => end(id, 'the relay stops')));
    },
  };
}

/** The id of the session that has been idle longest; undefined when all are busy. */
function idlest(sessions: readonly (readonly [string, Session])[]): string | undefined {
  return sessions.filter(([, { open }]) => open === 0).sort(([, a], [, b]) => a.usedAt - b.usedAt)[0]?.[0];
}
