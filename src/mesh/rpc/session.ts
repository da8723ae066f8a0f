import { isWireError, TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import type { PeerBudget } from './budget.ts';
import type { FramedStream } from './framed-stream.ts';
import type { RpcMessage, RpcNotification, RpcRequest, RpcResponse } from './messages.ts';
import { decodeMessage, encodeMessage, fromPeer, RPC_CODES } from './messages.ts';

/** Without an answer for this long a request has failed; tools bring their own, longer deadline. */
const DEFAULT_REQUEST_TIMEOUT_MS = 30_000;

export interface RequestContext {
  readonly signal: AbortSignal;
  notify(method: string, params: Record<string, unknown>): void;
}

/** Serves the other side's requests. A thrown TabmeshError becomes the error answer. */
export type RequestHandler = (
  method: string,
  params: Record<string, unknown>,
  context: RequestContext,
) => Promise<unknown>;

export interface RequestOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  readonly onProgress?: (params: Record<string, unknown>) => void;
}

interface Pending {
  resolve(result: unknown): void;
  reject(error: TabmeshError): void;
  onProgress: ((params: Record<string, unknown>) => void) | undefined;
}

/**
 * JSON-RPC over one framed stream, many requests in flight in both directions. Cancellation follows MCP
 * (`notifications/cancelled`), progress too (`notifications/progress` with `_meta.progressToken` = the request's id).
 */
export class RpcSession {
  readonly #stream: FramedStream;
  readonly #handler: RequestHandler;
  readonly #budget: PeerBudget;
  readonly #pending = new Map<number, Pending>();
  readonly #serving = new Map<number | string, AbortController>();
  #nextId = 1;

  /** @param options.budget of the peer at the other end */
  constructor(options: { stream: FramedStream; handler: RequestHandler; budget: PeerBudget }) {
    this.#stream = options.stream;
    this.#handler = options.handler;
    this.#budget = options.budget;
  }

  /** requests of ours that wait for an answer */
  get inFlight(): number {
    return this.#pending.size;
  }

  get closed(): boolean {
    return this.#stream.closed;
  }

  /**
   * Sends a request and waits for its answer.
   * @throws the other side's error; `timeout`, `cancelled`, `peer_unreachable` (`details.sent` tells whether it left)
   */
  async request(method: string, params: Record<string, unknown>, options: RequestOptions = {}): Promise<unknown> {
    const { signal } = options;
    if (signal?.aborted) throw toTabmeshError(signal.reason, 'cancelled');
    const id = this.#nextId++;
    const meta = { ...(params['_meta'] as Record<string, unknown> | undefined), progressToken: id };
    const message: RpcRequest = { jsonrpc: '2.0', id, method, params: { ...params, _meta: meta } };
    const payload = encodeMessage(message);

    return new Promise((resolve, reject) => {
      const timeoutMs = options.timeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS;
      const settle = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#pending.delete(id);
      };
      const giveUp = (error: TabmeshError) => {
        settle();
        this.#notifyQuietly('notifications/cancelled', { requestId: id, reason: error.code });
        reject(error);
      };
      const onAbort = () => {
        giveUp(toTabmeshError(signal?.reason, 'cancelled'));
      };
      const timer = setTimeout(() => {
        giveUp(
          new TabmeshError('timeout', `no answer to ${method} within ${timeoutMs} ms`, {
            retryable: true,
            details: { method, timeoutMs },
          }),
        );
      }, timeoutMs);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#pending.set(id, {
        resolve: (result) => {
          settle();
          resolve(result);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
        onProgress: options.onProgress,
      });
      this.#stream.send(payload).catch((error: unknown) => {
        this.#pending.get(id)?.reject(toTabmeshError(error));
      });
    });
  }

  /** Sends a notification; resolves when the stream has taken it. */
  async notify(method: string, params: Record<string, unknown>): Promise<void> {
    const message: RpcNotification = { jsonrpc: '2.0', method, params };
    await this.#stream.send(encodeMessage(message));
  }

  /** Give every frame of the stream to this. A broken message or a flood ends the session. */
  receive(payload: Uint8Array): void {
    let message: RpcMessage;
    try {
      message = decodeMessage(payload);
      // an answer that we asked for is no flood
      if (!this.#awaited(message) && !this.#budget.takeMessage(payload.byteLength)) {
        throw new TabmeshError('rate_limited', 'too many messages or bytes a second', {
          details: { token: 'message_rate_or_bandwidth_exceeded' },
        });
      }
    } catch (error) {
      this.#stream.abort(error as Error);
      return;
    }
    if ('method' in message) {
      if ('id' in message) void this.#serve(message);
      else this.#noted(message);
    } else this.#answered(message);
  }

  /** Call once when the stream is gone: whatever waits fails, whatever runs is cancelled. */
  ended(): void {
    const gone = new TabmeshError('peer_unreachable', 'the peer went away before it answered', {
      hint: 'It may have run or not. Try again when the peer is back.',
      details: { sent: true },
    });
    for (const pending of [...this.#pending.values()]) pending.reject(gone);
    for (const controller of this.#serving.values()) controller.abort(gone);
  }

  async #serve(request: RpcRequest): Promise<void> {
    const { id, method } = request;
    if (this.#serving.has(id)) {
      await this.#reply(
        errorReply(id, RPC_CODES.invalidRequest, 'this id is in flight already', { token: 'duplicate_in_flight_id' }),
      );
      return;
    }
    if (!this.#budget.beginRequest()) {
      const busy = new TabmeshError('rate_limited', 'too many requests in flight', {
        retryable: true,
        details: { token: 'in_flight_quota_exceeded' },
      });
      await this.#reply(errorReply(id, RPC_CODES.execution, busy.message, busy.toWire()));
      return;
    }
    const controller = new AbortController();
    this.#serving.set(id, controller);
    let reply: RpcResponse;
    try {
      const result = await this.#handler(method, request.params ?? {}, {
        signal: controller.signal,
        notify: (name, params) => {
          this.#notifyQuietly(name, params);
        },
      });
      reply = { jsonrpc: '2.0', id, result };
    } catch (thrown) {
      const error = toTabmeshError(thrown);
      const code = error.details['rpcCode'];
      reply = errorReply(id, typeof code === 'number' ? code : RPC_CODES.execution, error.message, error.toWire());
    }
    this.#serving.delete(id);
    this.#budget.endRequest();
    // MCP: a cancelled request gets no answer
    if (!controller.signal.aborted) await this.#reply(reply);
  }

  async #reply(reply: RpcResponse): Promise<void> {
    try {
      await this.#stream.send(encodeMessage(reply));
    } catch (thrown) {
      const error = toTabmeshError(thrown);
      if (error.code !== 'payload_too_large' || reply.id === null) return;
      // the answer does not fit a frame: say so instead of leaving the caller to its timeout
      await this.#stream
        .send(encodeMessage(errorReply(reply.id, RPC_CODES.execution, error.message, error.toWire())))
        .catch((closed: unknown) => {
          this.#stream.abort(closed as Error);
        });
    }
  }

  #awaited(message: RpcMessage): boolean {
    return !('method' in message) && typeof message.id === 'number' && this.#pending.has(message.id);
  }

  #answered(response: RpcResponse): void {
    const pending = typeof response.id === 'number' ? this.#pending.get(response.id) : undefined;
    // an answer that crossed our cancellation
    if (pending === undefined) return;
    if ('error' in response) pending.reject(fromRpcError(response.error));
    else pending.resolve(response.result);
  }

  #noted(notification: RpcNotification): void {
    const params = notification.params ?? {};
    if (notification.method === 'notifications/cancelled') {
      const id = params['requestId'];
      if (typeof id === 'number' || typeof id === 'string') {
        this.#serving.get(id)?.abort(new TabmeshError('cancelled', 'the caller cancelled'));
      }
    } else if (notification.method === 'notifications/progress') {
      const token = params['progressToken'];
      if (typeof token === 'number') this.#pending.get(token)?.onProgress?.(params);
    }
  }

  /** A notification that may be lost with the stream: nobody waits for it. */
  #notifyQuietly(method: string, params: Record<string, unknown>): void {
    this.notify(method, params).catch(() => {
      // the stream is gone; `ended` tells everybody who waits
    });
  }
}

function errorReply(id: number | string, code: number, message: string, data: unknown): RpcResponse {
  return { jsonrpc: '2.0', id, error: { code, message, data } };
}

function fromRpcError(error: { code: number; message: string; data?: unknown }): TabmeshError {
  if (isWireError(error.data)) return fromPeer(error.data);
  const code =
    error.code === RPC_CODES.methodNotFound
      ? 'unsupported'
      : error.code === RPC_CODES.invalidParams
        ? 'invalid_input'
        : 'protocol_error';
  return new TabmeshError(code, error.message, { details: { rpcCode: error.code } });
}
