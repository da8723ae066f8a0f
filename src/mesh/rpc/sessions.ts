import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import { PROTOCOLS } from '../../contracts/versions.ts';
import type { Clock } from '../../lib/clock.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import type { PeerId } from '../../lib/ids.ts';
import type { MemberLinks, Proven } from './member-links.ts';
import { PeerBudget } from './budget.ts';
import { countBytes } from './count-bytes.ts';
import type { RpcRequest, RpcResponse } from './json-rpc.ts';
import { McpBinding } from './mcp-binding.ts';
import { REQUEST_META } from './mcp-wire.ts';
import { ANSWER_METHOD, MovedAnswers, returnName } from './moved-answers.ts';
import type { RpcQuotas } from './quotas.ts';
import { MEMBER_QUOTAS } from './quotas.ts';
import { checkRoomFor, mayCarry, tooLargeForRelay } from './relayed.ts';
import type { OpenSessionOptions } from './open-session.ts';
import { openSession } from './open-session.ts';
import type { RequestContext, RequestOptions, RpcSession } from './session.ts';
import { IDLE_TIMEOUT_MS } from './session.ts';
import { refusal } from './tokens.ts';

/** A stream opens in a round trip or two; a link that takes longer is dead. */
const OPEN_TIMEOUT_MS = 10_000;

/**
 * libp2p resets what is over its limit without a word, so its limit is a little higher than the quota: who is over that is
 * told its token.
 */
const STREAMS_OVER_QUOTA = 8;

/** Who has opened a stream too many is told when it asks for something on it, and has so long to do that. */
const REFUSED_IDLE_MS = 5_000;

/** Our own stream is let go before the other side would close it: a request never meets a stream that is being closed. */
const OWN_IDLE_MS = IDLE_TIMEOUT_MS - 15_000;

export interface RpcSessionsOptions {
  readonly node: Libp2p;
  readonly membership: MemberLinks;
  readonly serve: (
    method: string,
    params: Record<string, unknown>,
    caller: Proven,
    context: RequestContext,
  ) => Promise<unknown>;
  readonly clock: Clock;
  /** told of the bytes of calls and answers, either way */
  readonly onBytes?: (peer: PeerId, bytes: number) => void;
  /** of a member; the product's when absent */
  readonly quotas?: RpcQuotas;
  /** how long a stream may be idle; the protocol's when absent */
  readonly idleMs?: number;
}

/** `/mcp+p2p/1.0.0` with every member: serves their calls, and keeps one stream a connection for ours. */
export class RpcSessions {
  readonly #options: RpcSessionsOptions;
  readonly #outbound = new Map<string, Promise<RpcSession>>();
  /** those of {@link #outbound} that are open */
  readonly #ready = new Map<string, RpcSession>();
  readonly #inbound = new Set<RpcSession>();
  readonly #budgets = new Map<PeerId, PeerBudget>();
  readonly #moved = new MovedAnswers();

  constructor(options: RpcSessionsOptions) {
    this.#options = options;
    options.membership.subscribe(({ type, link }) => {
      if (type !== 'closed') return;
      this.#outbound.delete(link.connection.id);
      const { peer } = link.member;
      if (options.membership.linkTo(peer) === undefined) this.#budgets.delete(peer);
    });
  }

  /** streams that others have open here */
  get inbound(): number {
    return this.#inbound.size;
  }

  /** bytes of unfinished frames of all members */
  get bufferedBytes(): number {
    return [...this.#budgets.values()].reduce((sum, budget) => sum + budget.bufferedBytes, 0);
  }

  /** Serves calls from now on. */
  async start(): Promise<void> {
    const { node, membership, quotas = MEMBER_QUOTAS } = this.#options;
    await node.handle(
      PROTOCOLS.mcp,
      async (stream, connection) => {
        this.#accept(stream, connection, await membership.proven(connection));
      },
      { maxInboundStreams: quotas.streams + STREAMS_OVER_QUOTA, runOnLimitedConnection: true },
    );
  }

  /**
   * One request to a member over the best link there is.
   * @throws `peer_unreachable` with `details.sent` false when it could not leave; `payload_too_large` when a relayed link has
   *   too little left for it; else what the peer answers
   */
  async request(
    peer: PeerId,
    method: string,
    params: Record<string, unknown>,
    options: RequestOptions = {},
  ): Promise<unknown> {
    const link = this.#options.membership.linkTo(peer);
    if (link === undefined) throw unreachable('no link to this peer');
    const { connection } = link;
    const session = this.#ready.get(connection.id) ?? (await untilAborted(this.#open(connection), options));
    if (connection.limits === undefined) return session.request(method, params, options);
    checkRoomFor(connection, JSON.stringify(params).length);
    return this.#moved.ask(peer, session, params, (named, onId) => session.request(method, named, options, onId));
  }

  #accept(stream: Stream, connection: Connection, caller: Proven): void {
    const { serve, idleMs } = this.#options;
    const binding = new McpBinding();
    const budget = this.#budgetOf(caller.peer);
    const admitted = budget.openStream();
    const session = this.#session(caller.peer, stream, {
      handler: (method, params, context) => {
        // not when the stream opens: its end would come before the other side has it
        if (!admitted) throw refusal('stream_quota_exceeded', 'too many streams of this peer are open');
        return binding.answer(method, params, (asked, given) => {
          if (asked !== ANSWER_METHOD) return serve(asked, given, caller, context);
          this.#moved.deliver(caller.peer, given);
          return Promise.resolve({});
        });
      },
      idleMs: admitted ? (idleMs ?? IDLE_TIMEOUT_MS) : REFUSED_IDLE_MS,
      ...(connection.limits === undefined ? {} : { redirect: this.#redirectFrom(connection, caller.peer) }),
      onClose: () => {
        this.#inbound.delete(session);
        if (admitted) budget.closeStream();
      },
    });
    if (admitted) this.#inbound.add(session);
  }

  /** A large answer leaves a relayed link for a direct one, if there is one by now. */
  #redirectFrom(connection: Connection, peer: PeerId) {
    return async (response: RpcResponse, request: RpcRequest, bytes: number): Promise<RpcResponse | null> => {
      if (mayCarry(connection, bytes)) return response;
      const link = this.#options.membership.linkTo(peer);
      const to = returnName(request.params ?? {});
      if (link?.direct !== true || to === null) throw tooLargeForRelay(connection, bytes);
      try {
        const session = await this.#open(link.connection);
        await session.request(ANSWER_METHOD, { to, response, _meta: REQUEST_META });
        return null;
      } catch {
        // the direct link has ended meanwhile: what is left to say can go over the relayed one
        throw tooLargeForRelay(connection, bytes);
      }
    };
  }

  #open(connection: Connection): Promise<RpcSession> {
    const known = this.#outbound.get(connection.id);
    if (known !== undefined) return known;
    const opening = this.#openStream(connection);
    this.#outbound.set(connection.id, opening);
    opening.catch(() => {
      if (this.#outbound.get(connection.id) === opening) this.#outbound.delete(connection.id);
    });
    return opening;
  }

  async #openStream(connection: Connection): Promise<RpcSession> {
    let stream: Stream;
    try {
      stream = await connection.newStream(PROTOCOLS.mcp, {
        runOnLimitedConnection: true,
        // many callers wait for this one stream: none of them may take it from the others
        signal: AbortSignal.timeout(OPEN_TIMEOUT_MS),
      });
    } catch (error) {
      throw unreachable('could not open a stream to this peer', error);
    }
    const session = this.#session(connection.remotePeer.toString() as PeerId, stream, {
      handler: (method) => Promise.reject(new TabmeshError('unsupported', `no requests on this stream: ${method}`)),
      idleMs: OWN_IDLE_MS,
      onClose: () => {
        this.#outbound.delete(connection.id);
        this.#ready.delete(connection.id);
      },
    });
    this.#ready.set(connection.id, session);
    return session;
  }

  #session(peer: PeerId, stream: Stream, options: Omit<OpenSessionOptions, 'budget' | 'clock'>): RpcSession {
    const { onBytes } = this.#options;
    if (onBytes !== undefined) {
      countBytes(stream, (bytes) => {
        onBytes(peer, bytes);
      });
    }
    return openSession(stream, { ...options, budget: this.#budgetOf(peer), clock: this.#options.clock }).session;
  }

  #budgetOf(peer: PeerId): PeerBudget {
    const known = this.#budgets.get(peer);
    if (known !== undefined) return known;
    const budget = new PeerBudget(this.#options.quotas ?? MEMBER_QUOTAS, this.#options.clock);
    this.#budgets.set(peer, budget);
    return budget;
  }
}

/** Waits for the stream as long as this caller wants to; the others go on waiting. */
async function untilAborted(opening: Promise<RpcSession>, { signal, timeoutMs }: RequestOptions): Promise<RpcSession> {
  const limits = [signal, timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs)];
  const stop = AbortSignal.any(limits.filter((limit) => limit !== undefined));
  if (stop.aborted) throw unreachable('the call ended before its stream was open', stop.reason);
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => {
    reject(signal?.aborted === true ? toTabmeshError(signal.reason, 'cancelled') : unreachable('no stream in time'));
  };
  stop.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([opening, promise]);
  } finally {
    stop.removeEventListener('abort', onAbort);
  }
}

function unreachable(message: string, thrown?: unknown): TabmeshError {
  const reason = thrown === undefined ? '' : `: ${toTabmeshError(thrown).message}`;
  return new TabmeshError('peer_unreachable', message + reason, {
    hint: 'The peer may have closed its tab.',
    retryable: true,
    details: { sent: false },
    cause: thrown,
  });
}
