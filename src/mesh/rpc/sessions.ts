import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import { PROTOCOLS } from '../../contracts/versions.ts';
import type { Clock } from '../../lib/clock.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import type { PeerId } from '../../lib/ids.ts';
import type { Proven } from '../membership/join.ts';
import type { Membership } from '../membership/membership.ts';
import { PeerBudget } from './budget.ts';
import { frameStream } from './framed-stream.ts';
import { MEMBER_QUOTAS } from './quotas.ts';
import type { RequestContext, RequestOptions } from './session.ts';
import { RpcSession } from './session.ts';

/** A stream opens in a round trip or two; a link that takes longer is dead. */
const OPEN_TIMEOUT_MS = 10_000;
/** MCP++ Profile E: streams a peer may have open. One carries our calls; the rest is for other implementations. */
const MAX_STREAMS_PER_PEER = 32;

export interface RpcSessionsOptions {
  readonly node: Libp2p;
  readonly membership: Membership;
  readonly serve: (
    method: string,
    params: Record<string, unknown>,
    caller: Proven,
    context: RequestContext,
  ) => Promise<unknown>;
  readonly clock: Clock;
}

/** `/mcp+p2p/1.0.0` with every member: serves their calls, and keeps one stream a connection for ours. */
export class RpcSessions {
  readonly #options: RpcSessionsOptions;
  readonly #outbound = new Map<string, Promise<RpcSession>>();
  readonly #budgets = new Map<PeerId, PeerBudget>();

  constructor(options: RpcSessionsOptions) {
    this.#options = options;
    options.membership.subscribe(({ type, link }) => {
      if (type !== 'closed') return;
      this.#outbound.delete(link.connection.id);
      const { peer } = link.member;
      if (options.membership.linkTo(peer) === undefined) this.#budgets.delete(peer);
    });
  }

  /** Serves calls from now on. */
  async start(): Promise<void> {
    const { node, membership, serve } = this.#options;
    await node.handle(
      PROTOCOLS.mcp,
      async (stream, connection) => {
        const caller = await membership.proven(connection);
        this.#session(caller.peer, stream, (method, params, context) => serve(method, params, caller, context));
      },
      { maxInboundStreams: MAX_STREAMS_PER_PEER, runOnLimitedConnection: true },
    );
  }

  /**
   * One request to a member over the best link there is.
   * @throws `peer_unreachable` with `details.sent` false when it could not leave; else what the peer answers
   */
  async request(
    peer: PeerId,
    method: string,
    params: Record<string, unknown>,
    options: RequestOptions = {},
  ): Promise<unknown> {
    const link = this.#options.membership.linkTo(peer);
    if (link === undefined) throw unreachable('no link to this peer');
    const session = await untilAborted(this.#open(link.connection), options);
    return session.request(method, params, options);
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
    return this.#session(
      connection.remotePeer.toString() as PeerId,
      stream,
      (method) => Promise.reject(new TabmeshError('unsupported', `no requests on this stream: ${method}`)),
      () => this.#outbound.delete(connection.id),
    );
  }

  #session(
    peer: PeerId,
    stream: Stream,
    handler: (method: string, params: Record<string, unknown>, context: RequestContext) => Promise<unknown>,
    onClose: () => void = () => undefined,
  ): RpcSession {
    const framed = frameStream(stream, {
      onFrame(payload) {
        session.receive(payload);
      },
      onClose() {
        session.ended();
        onClose();
      },
    });
    const session = new RpcSession({ stream: framed, handler, budget: this.#budgetOf(peer) });
    return session;
  }

  #budgetOf(peer: PeerId): PeerBudget {
    const known = this.#budgets.get(peer);
    if (known !== undefined) return known;
    const budget = new PeerBudget(MEMBER_QUOTAS, this.#options.clock);
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
