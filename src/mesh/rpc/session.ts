import type { Clock } from '../../lib/clock.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import { Alarm } from './alarm.ts';
import type { RequestOptions } from './asked.ts';
import { AskedRequests } from './asked.ts';
import type { PeerBudget } from './budget.ts';
import type { FramedStream } from './framed-stream.ts';
import type { RpcMessage, RpcNotification, RpcRequest, RpcResponse } from './json-rpc.ts';
import { decodeMessage } from './messages.ts';
import { relatedRequest } from './related.ts';
import { ReplayWindow } from './replay-window.ts';
import { encodeResponse, errorResponse, fromRpcError } from './responses.ts';
import type { RequestContext } from './served.ts';
import { ServedRequest } from './served.ts';
import type { ProtocolToken } from './tokens.ts';
import { failsClosed, refusal, tokenOf } from './tokens.ts';

export type { RequestOptions } from './asked.ts';
export type { RequestContext } from './served.ts';

/** MCP++ Profile E: a stream on which nothing has happened for so long is closed. */
export const IDLE_TIMEOUT_MS = 60_000;

/** Bytes of an unfinished frame that count as something happening: a byte now and then does not. */
const MIN_PROGRESS_BYTES = 16 * 1024;

/** Answers that nobody has asked for are told and left; whoever sends so many is no peer to talk to. */
const MAX_STRAY_ANSWERS = 64;

/** A busy peer is alive, and says so. */
const PING = 'ping';

/** Serves the other side's requests. A thrown TabmeshError becomes the error answer; some of them end the stream. */
export type RequestHandler = (
  method: string,
  params: Record<string, unknown>,
  context: RequestContext,
) => Promise<unknown>;

export interface RpcSessionOptions {
  readonly stream: FramedStream;
  readonly handler: RequestHandler;
  /** of the peer at the other end */
  readonly budget: PeerBudget;
  readonly clock: Clock;
  /** closes the stream when nothing happens on it for so long */
  readonly idleMs?: number;
  /**
   * Looks at an answer before it is sent, where not every answer may go this way.
   * @param bytes of the answer, at least
   * @returns null when it was delivered otherwise. @throws what the caller is to be told instead
   */
  readonly redirect?: (response: RpcResponse, request: RpcRequest, bytes: number) => Promise<RpcResponse | null>;
}

/**
 * JSON-RPC over one framed stream, many requests in flight in both directions. Cancellation follows MCP
 * (`notifications/cancelled`), progress too (`notifications/progress` with `_meta.progressToken` = the request's id).
 */
export class RpcSession {
  readonly #options: RpcSessionOptions;
  readonly #stream: FramedStream;
  readonly #asked: AskedRequests;
  readonly #serving = new Map<number | string, ServedRequest>();
  readonly #replays = new ReplayWindow();
  readonly #refused = new Map<ProtocolToken, number>();
  readonly #alarm: Alarm;
  readonly #idleMs: number;
  #activeAt: number;
  #bytesAtCheck = 0;
  #strays = 0;
  /** what the other side gave as its reason for closing */
  #lastWord: TabmeshError | null = null;

  constructor(options: RpcSessionOptions) {
    const { clock, stream } = options;
    this.#options = options;
    this.#stream = stream;
    this.#idleMs = options.idleMs ?? IDLE_TIMEOUT_MS;
    this.#activeAt = clock.now();
    this.#alarm = new Alarm(clock, () => Math.min(this.#asked.expire(), this.#checkIdle()));
    this.#asked = new AskedRequests({
      clock,
      wakeBy: (at) => {
        this.#alarm.by(at);
      },
      onGivenUp: (id, why) => {
        this.#notify('notifications/cancelled', { requestId: id, reason: why.code }).catch(() => {
          // the stream is gone; `ended` tells everybody who waits
        });
      },
    });
    this.#alarm.by(this.#activeAt + this.#idleMs);
  }

  /** requests of ours that wait for an answer */
  get inFlight(): number {
    return this.#asked.size;
  }

  /** requests of the other side that run here */
  get serving(): number {
    return this.#serving.size;
  }

  get closed(): boolean {
    return this.#stream.closed;
  }

  /** how often the other side was refused something, by token */
  get refused(): ReadonlyMap<ProtocolToken, number> {
    return this.#refused;
  }

  /**
   * Sends a request and waits for its answer.
   * @throws the other side's error; `timeout`, `cancelled`, `peer_unreachable` (`details.sent` tells whether it left)
   */
  request(
    method: string,
    params: Record<string, unknown>,
    options: RequestOptions = {},
    onId?: (id: number) => void,
  ): Promise<unknown> {
    return this.#asked.ask(method, options, (id) => {
      onId?.(id);
      const meta = { ...(params['_meta'] as Record<string, unknown> | undefined), progressToken: id };
      const request: RpcRequest = { jsonrpc: '2.0', id, method, params: { ...params, _meta: meta } };
      this.#activeAt = this.#options.clock.now();
      return this.#stream.send(JSON.stringify(request));
    });
  }

  /** Give every frame of the stream to this. A broken message or a flood ends the session. */
  receive(payload: Uint8Array): void {
    let message: RpcMessage;
    try {
      message = decodeMessage(payload);
    } catch (error) {
      this.refuse(toTabmeshError(error, 'protocol_error'));
      return;
    }
    // an answer that we asked for is no flood
    const awaited = !('method' in message) && this.#asked.has(message.id);
    if (!awaited && !this.#options.budget.takeMessage(payload.byteLength)) {
      this.refuse(refusal('message_rate_or_bandwidth_exceeded', 'too many messages or bytes a second'));
      return;
    }
    this.#activeAt = this.#options.clock.now();
    if (!('method' in message)) this.answered(message);
    else if ('id' in message) void this.#serve(message);
    else this.#noted(message);
  }

  /** An answer to a request of ours has come, on this stream or another way. */
  answered(response: RpcResponse): void {
    const { id } = response;
    if (id === null) {
      if ('error' in response) this.#lastWord = fromRpcError(response.error);
      return;
    }
    const wrong =
      'error' in response
        ? this.#asked.fail(id, fromRpcError(response.error))
        : this.#asked.resolve(id, response.result);
    if (wrong === null) return;
    this.#count(wrong);
    if (++this.#strays > MAX_STRAY_ANSWERS) this.refuse(refusal(wrong, 'answers that nobody has asked for'));
  }

  /** Ends the stream, saying why. */
  refuse(error: TabmeshError): void {
    const token = tokenOf(error);
    if (token !== undefined) this.#count(token);
    this.#stream.refuse(JSON.stringify(errorResponse(null, error)), error);
  }

  /** Call once when the stream is gone: whatever waits fails, whatever runs is cancelled. */
  ended(): void {
    this.#alarm.stop();
    const why = this.#lastWord;
    const gone = new TabmeshError(
      'peer_unreachable',
      `the peer went away before it answered${why === null ? '' : `: ${why.message}`}`,
      {
        hint: 'It may have run or not. Try again when the peer is back.',
        details: { sent: true, ...(why === null ? {} : { token: why.details['token'] }) },
      },
    );
    this.#asked.failAll(gone);
    for (const served of this.#serving.values()) served.cancel(gone);
  }

  async #serve(request: RpcRequest): Promise<void> {
    const { id, method } = request;
    const no = this.#mayRun(id, method);
    if (no !== null) {
      this.#count(no.token);
      await this.#reply(errorResponse(id, refusal(no.token, no.why, { retryable: no.retryable })), request);
      return;
    }
    const served = new ServedRequest((name, params) =>
      this.#stream.sendNews(JSON.stringify({ jsonrpc: '2.0', method: name, params })),
    );
    this.#serving.set(id, served);
    let fatal: TabmeshError | null = null;
    let response: RpcResponse;
    try {
      response = { jsonrpc: '2.0', id, result: await this.#options.handler(method, request.params ?? {}, served) };
    } catch (thrown) {
      const error = toTabmeshError(thrown);
      response = errorResponse(id, error);
      if (failsClosed(error)) fatal = error;
      const token = tokenOf(error);
      if (token !== undefined) this.#count(token);
    }
    this.#serving.delete(id);
    this.#activeAt = this.#options.clock.now();
    if (fatal !== null) this.#stream.refuse(encodeResponse(response, request), fatal);
    // MCP: a cancelled request gets no answer
    else if (!served.cancelled) await this.#reply(response, request);
    // not before the answer has left: who does not read what we answer may not make us hold more and more of it
    if (method !== PING) this.#options.budget.endRequest();
  }

  #mayRun(id: number | string, method: string): { token: ProtocolToken; why: string; retryable: boolean } | null {
    if (this.#serving.has(id)) {
      return { token: 'duplicate_in_flight_id', why: 'this id is in flight already', retryable: false };
    }
    if (!this.#replays.admit(id)) {
      return { token: 'duplicate_frame', why: 'a request with this id was here before', retryable: false };
    }
    if (method !== PING && !this.#options.budget.beginRequest()) {
      return { token: 'in_flight_quota_exceeded', why: 'too many requests in flight', retryable: true };
    }
    return null;
  }

  async #reply(response: RpcResponse, request: RpcRequest): Promise<void> {
    let text = encodeResponse(response, request);
    try {
      const { redirect } = this.#options;
      if (redirect !== undefined) {
        const ours = await redirect(response, request, text.length);
        if (ours === null) return;
        if (ours !== response) text = encodeResponse(ours, request);
      }
      await this.#stream.send(text);
    } catch (thrown) {
      const error = toTabmeshError(thrown);
      if (error.code !== 'payload_too_large') return; // the stream is gone, and with it who asked
      // the answer does not fit: say so instead of leaving the caller to its timeout
      await this.#stream.send(encodeResponse(errorResponse(request.id, error), request)).catch((closed: unknown) => {
        this.#stream.abort(closed as Error);
      });
    }
  }

  #noted(notification: RpcNotification): void {
    const params = notification.params ?? {};
    if (notification.method === 'notifications/cancelled') {
      const id = params['requestId'];
      const served = typeof id === 'number' || typeof id === 'string' ? this.#serving.get(id) : undefined;
      // one that is not running any more has crossed its answer
      if (served?.cancelled === true) this.#count('already_cancelled');
      served?.cancel();
    } else if (notification.method === 'notifications/progress') {
      this.#asked.progress(params['progressToken'], params);
    } else {
      this.#asked.notified(relatedRequest(params), notification.method, params);
    }
  }

  async #notify(method: string, params: Record<string, unknown>): Promise<void> {
    const message: RpcNotification = { jsonrpc: '2.0', method, params };
    await this.#stream.send(JSON.stringify(message));
  }

  /** @returns when to look again, ms since the epoch; Infinity when the stream is closed */
  #checkIdle(): number {
    const now = this.#options.clock.now();
    if (this.#asked.size > 0 || this.#serving.size > 0) this.#activeAt = now;
    if (now < this.#activeAt + this.#idleMs) return this.#activeAt + this.#idleMs;
    const arrived = this.#stream.receivedBytes;
    if (arrived - this.#bytesAtCheck >= MIN_PROGRESS_BYTES) {
      // a frame on its way over a slow link
      this.#bytesAtCheck = arrived;
      return now + this.#idleMs;
    }
    this.refuse(refusal('idle_timeout', `nothing has happened on this stream for ${this.#idleMs} ms`));
    return Infinity;
  }

  #count(token: ProtocolToken): void {
    this.#refused.set(token, (this.#refused.get(token) ?? 0) + 1);
  }
}
