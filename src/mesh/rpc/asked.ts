import type { Clock } from '../../lib/clock.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import type { ProtocolToken } from './tokens.ts';

/** Without an answer for this long a request has failed (MCP++ Profile E); tools bring their own, longer deadline. */
const REQUEST_TIMEOUT_MS = 30_000;

/** Answers that may still come for requests we no longer wait for: as many as a replay window holds. */
const MAX_ABANDONED = 4_096;

export interface RequestOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  readonly onProgress?: (params: Record<string, unknown>) => void;
  /** told of what else the other side says of this request while it runs */
  readonly onNotification?: (method: string, params: Record<string, unknown>) => void;
}

interface Pending {
  readonly method: string;
  readonly timeoutMs: number;
  /** ms since the epoch */
  readonly dueAt: number;
  readonly onProgress: RequestOptions['onProgress'];
  readonly onNotification: RequestOptions['onNotification'];
  settle(): void;
  resolve(result: unknown): void;
  reject(error: TabmeshError): void;
}

export interface AskedOptions {
  readonly clock: Clock;
  /** have {@link AskedRequests.expire} called at this time */
  readonly wakeBy: (at: number) => void;
  /** tells the other side that nobody waits any longer */
  readonly onGivenUp: (id: number, why: TabmeshError) => void;
}

/** Our requests on one stream that wait for their answers. */
export class AskedRequests {
  readonly #options: AskedOptions;
  readonly #pending = new Map<number, Pending>();
  readonly #abandoned = new Set<number>();
  #nextId = 1;

  constructor(options: AskedOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#pending.size;
  }

  has(id: unknown): boolean {
    return typeof id === 'number' && this.#pending.has(id);
  }

  /**
   * Makes a request. Ids grow and never come again.
   * @param send puts it on the wire
   * @throws what {@link fail} or {@link resolve} are told; `timeout`; `cancelled`; what `send` throws
   */
  ask(method: string, options: RequestOptions, send: (id: number) => Promise<void>): Promise<unknown> {
    const { signal, onProgress, onNotification } = options;
    if (signal?.aborted) return Promise.reject(toTabmeshError(signal.reason, 'cancelled'));
    const { clock, wakeBy } = this.#options;
    const id = this.#nextId++;
    const timeoutMs = options.timeoutMs ?? REQUEST_TIMEOUT_MS;
    const dueAt = clock.now() + timeoutMs;
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#giveUp(id, toTabmeshError(signal?.reason, 'cancelled'));
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      const settle = () => {
        signal?.removeEventListener('abort', onAbort);
        this.#pending.delete(id);
      };
      this.#pending.set(id, { method, timeoutMs, dueAt, onProgress, onNotification, settle, resolve, reject });
      wakeBy(dueAt);
      send(id).catch((error: unknown) => {
        this.fail(id, toTabmeshError(error));
      });
    });
  }

  /** An answer has come. @returns what is wrong with it, if it is not one that we wait for */
  resolve(id: number | string, result: unknown): ProtocolToken | null {
    const pending = this.#take(id);
    if (pending === undefined) return this.#stray(id);
    pending.resolve(result);
    return null;
  }

  /** See {@link resolve}, for an answer that is an error. */
  fail(id: number | string, error: TabmeshError): ProtocolToken | null {
    const pending = this.#take(id);
    if (pending === undefined) return this.#stray(id);
    pending.reject(error);
    return null;
  }

  failAll(error: TabmeshError): void {
    for (const id of [...this.#pending.keys()]) this.fail(id, error);
  }

  progress(id: unknown, params: Record<string, unknown>): void {
    if (typeof id === 'number') this.#pending.get(id)?.onProgress?.(params);
  }

  notified(id: unknown, method: string, params: Record<string, unknown>): void {
    if (typeof id === 'number') this.#pending.get(id)?.onNotification?.(method, params);
  }

  /** Gives up what has waited too long. @returns when to be called again, ms since the epoch; Infinity for not at all */
  expire(): number {
    const now = this.#options.clock.now();
    let next = Infinity;
    for (const [id, { method, timeoutMs, dueAt }] of [...this.#pending]) {
      if (dueAt > now) next = Math.min(next, dueAt);
      else this.#giveUp(id, tooLate(method, timeoutMs));
    }
    return next;
  }

  #giveUp(id: number, why: TabmeshError): void {
    const pending = this.#take(id);
    if (pending === undefined) return;
    this.#abandoned.add(id);
    if (this.#abandoned.size > MAX_ABANDONED) {
      for (const oldest of this.#abandoned) {
        this.#abandoned.delete(oldest);
        break;
      }
    }
    this.#options.onGivenUp(id, why);
    pending.reject(why);
  }

  #take(id: number | string): Pending | undefined {
    const pending = typeof id === 'number' ? this.#pending.get(id) : undefined;
    pending?.settle();
    return pending;
  }

  #stray(id: number | string): ProtocolToken | null {
    // it crossed our word that nobody waits
    if (typeof id === 'number' && this.#abandoned.delete(id)) return null;
    return typeof id === 'number' && id > 0 && id < this.#nextId && Number.isInteger(id)
      ? 'duplicate_response_id'
      : 'unknown_request_id';
  }
}

function tooLate(method: string, timeoutMs: number): TabmeshError {
  return new TabmeshError('timeout', `no answer to ${method} within ${timeoutMs} ms`, {
    retryable: true,
    details: { method, timeoutMs },
  });
}
