import type { CallCredentials, CallOptions, Principal } from '../../contracts/tools.ts';
import type { DeviceId, PeerId } from '../../lib/ids.ts';
import { TRACEPARENT } from '../../lib/traceparent.ts';
import type { PeerDialer } from '../links/peer-dialer.ts';
import type { Principals } from '../principals/principals.ts';
import { clientMeta, fromMcpResult, META, REQUEST_META } from '../rpc/mcp-wire.ts';
import type { RequestOptions } from '../rpc/session.ts';
import type { RpcSessions } from '../rpc/sessions.ts';

export interface MemberCallsOptions {
  readonly rpc: Pick<RpcSessions, 'request'>;
  readonly principals: Pick<Principals, 'chainFor' | 'calling'>;
  readonly dialer: Pick<PeerDialer, 'demand'>;
  /** of a member that is linked */
  readonly deviceOf: (peer: PeerId) => DeviceId | undefined;
}

/** What this peer asks of members, each time on somebody's behalf. */
export class MemberCalls {
  readonly #options: MemberCallsOptions;

  constructor(options: MemberCallsOptions) {
    this.#options = options;
  }

  /**
   * Calls a tool at a member, for `principal`.
   * @throws the tool's error; `peer_unreachable` with `details.sent` false when it never left
   */
  async call(
    peer: PeerId,
    tool: string,
    args: unknown,
    principal: Principal,
    options: CallOptions & { readonly timeoutMs: number; readonly credentials?: CallCredentials },
  ): Promise<unknown> {
    const { onProgress, credentials = {} } = options;
    this.#options.dialer.demand(peer);
    const meta: Record<string, unknown> = {
      ...REQUEST_META,
      [META.structuredOnly]: true,
      [META.timeoutMs]: Math.round(options.timeoutMs),
    };
    if (credentials.approval !== undefined) meta[META.approval] = credentials.approval;
    if (credentials.grants !== undefined) meta[META.grants] = credentials.grants;
    if (options.traceparent !== undefined) meta[TRACEPARENT] = options.traceparent;
    const result = await this.#askFor(principal, peer, 'tools/call', { name: tool, arguments: args }, meta, {
      timeoutMs: options.timeoutMs,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ...(onProgress === undefined ? {} : { onProgress: (params) => onProgress(progressOf(params)) }),
    });
    return fromMcpResult(result);
  }

  /**
   * One request of MCP to a member, for `principal`, with the `_meta` of its client. Keys of ours in it are not the client's
   * to set.
   * @throws what the member answers; `peer_unreachable`
   */
  forward(
    peer: PeerId,
    method: string,
    params: Readonly<Record<string, unknown>>,
    principal: Principal,
    options: RequestOptions = {},
  ): Promise<unknown> {
    this.#options.dialer.demand(peer);
    return this.#askFor(principal, peer, method, params, { ...REQUEST_META, ...clientMeta(params['_meta']) }, options);
  }

  /** A request that says on whose behalf it is made. */
  async #askFor(
    principal: Principal,
    peer: PeerId,
    method: string,
    params: Readonly<Record<string, unknown>>,
    meta: Record<string, unknown>,
    options: RequestOptions,
  ): Promise<unknown> {
    const { rpc, principals, deviceOf } = this.#options;
    const ended = principals.calling(peer);
    try {
      // without a link the request below says so, and nothing leaves
      const named = principals.chainFor(principal, () => deviceOf(peer));
      if (named !== undefined) meta[META.principal] = typeof named === 'string' ? named : await named;
      return await rpc.request(peer, method, { ...params, _meta: meta }, options);
    } finally {
      ended();
    }
  }
}

function progressOf(params: Record<string, unknown>) {
  const { progress, total, message } = params;
  return {
    progress: typeof progress === 'number' ? progress : 0,
    total: typeof total === 'number' ? total : null,
    message: typeof message === 'string' ? message : null,
  };
}
