import type { McpObject } from '../../../src/contracts/mcp.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { randomId } from '../../../src/lib/ids.ts';
import { isObject } from '../../../src/mesh/rpc/mcp-wire.ts';
import { POLL_INTERVAL_MS, TASK_TTL_MS } from './limits.ts';

/** How a task stands (SEP-2663, "Task Status"). */
type TaskState =
  | { readonly status: 'working' }
  | { readonly status: 'input_required'; readonly requests: McpObject }
  | { readonly status: 'completed'; readonly result: McpObject }
  | { readonly status: 'failed'; readonly error: { code: number; message: string; data: unknown } }
  | { readonly status: 'cancelled' };

/** One long call that goes on without its client. */
export class Task {
  readonly id = randomId();
  /** whose it is: nobody else is told that it exists */
  readonly owner: string;
  /** of the token that began it */
  readonly tokenId: string | null;
  /** ends the call */
  readonly stop = new AbortController();
  readonly #clock: Clock;
  readonly #createdAt: number;
  #updatedAt: number;
  #state: TaskState = { status: 'working' };
  #message: string | null = null;
  #answers: Record<string, unknown> = {};
  #answered: (() => void) | null = null;

  constructor(owner: string, tokenId: string | null, clock: Clock) {
    this.owner = owner;
    this.tokenId = tokenId;
    this.#clock = clock;
    this.#createdAt = clock.now();
    this.#updatedAt = this.#createdAt;
  }

  get ended(): boolean {
    return !['working', 'input_required'].includes(this.#state.status);
  }

  get expired(): boolean {
    return this.#clock.now() >= this.#createdAt + TASK_TTL_MS;
  }

  /** How it goes, in words. */
  say(message: string): void {
    this.#message = message;
    this.#updatedAt = this.#clock.now();
  }

  /** Sets how it stands. Once ended it stays as it is. */
  set(state: TaskState): void {
    if (this.ended) return;
    this.#state = state;
    this.#updatedAt = this.#clock.now();
  }

  /** Waits for the client's answers to all of these requests. @throws the signal's reason when the task is stopped */
  async ask(requests: McpObject): Promise<McpObject> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const onStop = () => {
      reject(this.stop.signal.reason as Error);
    };
    this.#answers = {};
    this.#answered = () => {
      resolve(undefined);
    };
    this.stop.signal.addEventListener('abort', onStop, { once: true });
    this.set({ status: 'input_required', requests });
    try {
      await promise;
    } finally {
      this.stop.signal.removeEventListener('abort', onStop);
      this.#answered = null;
    }
    return this.#answers;
  }

  /** Takes answers, to some of its requests or to all. Others are ignored. */
  answer(responses: McpObject): void {
    if (this.#state.status !== 'input_required') return;
    const left: Record<string, unknown> = {};
    for (const [key, request] of Object.entries(this.#state.requests)) {
      if (isObject(responses[key])) this.#answers[key] = responses[key];
      else left[key] = request;
    }
    const all = Object.keys(left).length === 0;
    this.set(all ? { status: 'working' } : { status: 'input_required', requests: left });
    if (all) this.#answered?.();
  }

  cancel(): void {
    this.set({ status: 'cancelled' });
    this.stop.abort(new DOMException('the client cancelled the task', 'AbortError'));
  }

  /** What a client is told when the task begins. */
  shown(): Record<string, unknown> {
    return {
      taskId: this.id,
      status: this.#state.status,
      ...(this.#message === null ? {} : { statusMessage: this.#message }),
      createdAt: new Date(this.#createdAt).toISOString(),
      lastUpdatedAt: new Date(this.#updatedAt).toISOString(),
      ttlMs: TASK_TTL_MS,
      pollIntervalMs: POLL_INTERVAL_MS,
    };
  }

  /** What a client is told when it asks: with the result, the error or what is asked of it. */
  details(): Record<string, unknown> {
    const state = this.#state;
    const shown = this.shown();
    if (state.status === 'completed') return { ...shown, result: state.result };
    if (state.status === 'failed') return { ...shown, error: state.error };
    return state.status === 'input_required' ? { ...shown, inputRequests: state.requests } : shown;
  }
}
