import { SdkHttpError, StreamableHTTPClientTransport, type JSONRPCMessage } from '@modelcontextprotocol/client';
import type { Log } from '../../src/lib/log.ts';
import { isObject } from '../../src/mesh/rpc/mcp-wire.ts';
import type { RoomAccess } from './room-access.ts';

/** JSON-RPC 2.0 §5.1, the range for servers. */
const SERVER_ERROR = -32_000;
const NOT_FOUND = 404;
/** Beginning a session is one small request. */
const RENEW_MS = 10_000;
/** A client that has closed its side and still waits for answers is a script; it waits no longer than for a slow tool. */
const LAST_ANSWERS_MS = 60_000;
/** A client that ends waits for this no longer. */
const GOODBYE_MS = 1_000;

/** The client's side: standard input and output, or what a test puts in their place. */
export interface MessagePipe {
  onmessage?: ((message: JSONRPCMessage) => void) | undefined;
  onclose?: (() => void) | undefined;
  start(): Promise<void>;
  send(message: JSONRPCMessage): Promise<void>;
  close(): Promise<void>;
}

type Id = string | number;

/**
 * Joins a client that speaks MCP over stdio to an endpoint that speaks it over HTTP, message by message, so that everything
 * passes that either knows. On the stateless wire (2026-07-28) giving a request up ends its HTTP request, which is how that
 * binding cancels; on the older wire a session that the relay no longer knows is begun anew, as the client began it.
 */
export class StdioBridge {
  readonly #client: MessagePipe;
  readonly #access: Pick<RoomAccess, 'mcp' | 'token'>;
  readonly #log: Log;
  readonly #running = new Map<Id, AbortController>();
  /** of these, the ones whose answer is to come */
  readonly #awaited = new Set<Id>();
  #http: StreamableHTTPClientTransport;
  /** what the client began its session with */
  #initialize: JSONRPCMessage | null = null;
  #renewing: Promise<void> | null = null;
  /** called after each answer */
  #answered: () => void = () => undefined;
  /** ids of the requests that only we have sent: nobody waits for their answers */
  readonly #own = new Map<Id, (answer: JSONRPCMessage) => void>();

  constructor(client: MessagePipe, access: Pick<RoomAccess, 'mcp' | 'token'>, log: Log) {
    this.#client = client;
    this.#access = access;
    this.#log = log;
    this.#http = this.#connect();
  }

  /** Runs until the client goes away or `signal` fires. */
  async run(signal: AbortSignal): Promise<void> {
    const gone = new Promise<void>((resolve) => {
      this.#client.onclose = resolve;
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    this.#client.onmessage = (message) => {
      this.#fromClient(message).catch((error: unknown) => {
        this.#log.error('message not passed on', { error: String(error) });
      });
    };
    await this.#client.start();
    if (!signal.aborted) await gone;
    // what was asked before the end of the input is answered still
    if (!signal.aborted) await this.#allAnswered(signal);
    for (const request of this.#running.values()) request.abort();
    await this.#goodbye();
    await this.#http.close();
    await this.#client.close();
  }

  async #allAnswered(signal: AbortSignal): Promise<void> {
    const giveUp = AbortSignal.any([signal, AbortSignal.timeout(LAST_ANSWERS_MS)]);
    while (this.#awaited.size > 0 && !giveUp.aborted) {
      await new Promise<void>((resolve) => {
        this.#answered = resolve;
        giveUp.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  #connect(): StreamableHTTPClientTransport {
    const http = new StreamableHTTPClientTransport(this.#access.mcp, {
      requestInit: { headers: { authorization: `Bearer ${this.#access.token}` } },
    });
    http.onmessage = (message) => {
      this.#fromRelay(http, message);
    };
    http.onerror = (error) => {
      this.#log.debug('http', { error: error.message });
    };
    void http.start();
    return http;
  }

  #fromRelay(http: StreamableHTTPClientTransport, message: JSONRPCMessage): void {
    const answered = 'method' in message ? undefined : message.id;
    if (answered !== undefined) {
      this.#running.delete(answered);
      this.#awaited.delete(answered);
      this.#answered();
      const initialize = this.#initialize;
      if (initialize !== null && 'id' in initialize && initialize.id === answered) agree(http, message);
      const own = this.#own.get(answered);
      if (own !== undefined) {
        this.#own.delete(answered);
        agree(http, message);
        own(message);
        return;
      }
    }
    this.#client.send(message).catch((error: unknown) => {
      this.#log.debug('the client does not listen', { error: String(error) });
    });
  }

  async #fromClient(message: JSONRPCMessage): Promise<void> {
    if ('method' in message && message.method === 'initialize') this.#initialize = message;
    if ('method' in message && message.method === 'notifications/cancelled') {
      const id = message.params?.['requestId'] as Id | undefined;
      // on the older wire the relay is told; on the newer one the end of the request says it
      if (id !== undefined && this.#initialize === null) {
        this.#running.get(id)?.abort();
        this.#running.delete(id);
        this.#awaited.delete(id);
        return;
      }
    }
    const id = 'method' in message && 'id' in message ? message.id : undefined;
    const request = new AbortController();
    if (id !== undefined) {
      this.#running.set(id, request);
      // listening has no answer before its end
      if (!('method' in message) || message.method !== 'subscriptions/listen') this.#awaited.add(id);
    }
    try {
      await this.#send(message, request.signal);
    } catch (error) {
      if (id === undefined || request.signal.aborted) return;
      this.#running.delete(id);
      this.#awaited.delete(id);
      this.#answered();
      await this.#client.send(asAnswer(id, error, this.#access.mcp));
    }
  }

  async #send(message: JSONRPCMessage, requestSignal: AbortSignal): Promise<void> {
    await this.#renewing;
    const http = this.#http;
    try {
      await http.send(message, { requestSignal });
    } catch (error) {
      const lost = error instanceof SdkHttpError && error.status === NOT_FOUND && http.sessionId !== undefined;
      if (!lost || this.#initialize === null || message === this.#initialize) throw error;
      this.#renewing ??= this.#renew(this.#initialize).finally(() => {
        this.#renewing = null;
      });
      await this.#renewing;
      // the relay refused it for want of a session: nothing of it has been carried out
      await this.#http.send(message, { requestSignal });
    }
  }

  /** The relay was started anew: a session as before, of which the client need not know. The old one is kept until it stands. */
  async #renew(initialize: JSONRPCMessage): Promise<void> {
    const http = this.#connect();
    const id = `bridge-${crypto.randomUUID()}`;
    const answer = Promise.withResolvers<JSONRPCMessage>();
    const late = setTimeout(() => {
      answer.reject(new Error('the relay does not begin a new session'));
    }, RENEW_MS);
    this.#own.set(id, answer.resolve);
    try {
      await http.send({ ...initialize, id });
      await answer.promise;
      await http.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
    } catch (error) {
      await http.close();
      throw error;
    } finally {
      clearTimeout(late);
      this.#own.delete(id);
    }
    const old = this.#http;
    this.#http = http;
    await old.close();
    this.#log.info('the relay was restarted; a new session has begun');
  }

  async #goodbye(): Promise<void> {
    if (this.#http.sessionId === undefined) return;
    const late = new Promise<void>((resolve) => setTimeout(resolve, GOODBYE_MS).unref());
    // a relay that is gone has no session to end
    await Promise.race([this.#http.terminateSession().catch(() => undefined), late]);
  }
}

/** The revision that the relay has chosen goes into every later request of the session. */
function agree(http: StreamableHTTPClientTransport, answer: JSONRPCMessage): void {
  const result = 'result' in answer ? answer.result : undefined;
  const version = isObject(result) ? result['protocolVersion'] : undefined;
  if (typeof version === 'string') http.setProtocolVersion(version);
}

/** A failed HTTP request as the answer that the client waits for. */
function asAnswer(id: Id, error: unknown, relay: URL): JSONRPCMessage {
  const text = error instanceof SdkHttpError ? error.data['text'] : undefined;
  const told = typeof text === 'string' ? errorIn(text) : undefined;
  if (told !== undefined) return { jsonrpc: '2.0', id, error: told };
  const message = error instanceof Error ? error.message : String(error);
  const hint = error instanceof SdkHttpError ? '' : ` Is the relay at ${relay.origin} running?`;
  return { jsonrpc: '2.0', id, error: { code: SERVER_ERROR, message: `${message}.${hint}` } };
}

/** The JSON-RPC error, or the problem, that a refused request was answered with. */
function errorIn(text: string): { code: number; message: string; data?: unknown } | undefined {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    // a proxy's page: the status says enough
    return undefined;
  }
  const error = isObject(body) ? body['error'] : undefined;
  if (!isObject(error) || typeof error['message'] !== 'string') return undefined;
  const { code, message, data } = error;
  if (typeof code === 'number') return { code, message, ...(data === undefined ? {} : { data }) };
  return { code: SERVER_ERROR, message, data: error };
}
