import type { McpListenFilter } from '../../../src/contracts/mcp.ts';
import type { Principal } from '../../../src/contracts/tools.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { TabmeshError, toTabmeshError } from '../../../src/lib/errors.ts';
import type { Log } from '../../../src/lib/log.ts';
import type { Front, FrontContext } from './front.ts';
import { LISTEN_RETRY_MS, MAX_WATCHED_TOGETHER } from './limits.ts';

/** A front acknowledges at once, or a round trip to its peer later. */
const ACKNOWLEDGED_MS = 10_000;

/** What clients are told when it happens. */
export interface Changes {
  tools(): void;
  prompts(): void;
  resources(): void;
  updated(uri: string): void;
}

export interface ListeningOptions {
  readonly front: Front;
  readonly principal: Principal;
  readonly changes: Changes;
  readonly clock: Clock;
  readonly log: Log;
}

/** One `subscriptions/listen` at a front for all of its clients: for the lists, and for every resource that one watches. */
export class Listening {
  readonly #options: ListeningOptions;
  readonly #watched = new Map<string, number>();
  readonly #stop = new AbortController();
  #round = new AbortController();

  constructor(options: ListeningOptions) {
    this.#options = options;
    this.#begin();
  }

  /** Has changes of these resources told. @returns takes it back @throws `rate_limited` when all clients watch too many */
  watch(uris: readonly string[]): () => void {
    const more = new Set(uris.filter((uri) => !this.#watched.has(uri))).size;
    if (more > 0 && this.#watched.size + more > MAX_WATCHED_TOGETHER) {
      throw new TabmeshError('rate_limited', 'too many resources are watched here', {
        hint: 'Watch fewer, or read them from time to time.',
        retryable: true,
        details: { limit: MAX_WATCHED_TOGETHER },
      });
    }
    const before = this.#watched.size;
    for (const uri of uris) this.#watched.set(uri, (this.#watched.get(uri) ?? 0) + 1);
    if (this.#watched.size !== before) this.#begin();
    let watching = true;
    return () => {
      if (!watching) return;
      watching = false;
      // what is heard of them until the next round goes to nobody
      for (const uri of uris) {
        const rest = (this.#watched.get(uri) ?? 1) - 1;
        if (rest === 0) this.#watched.delete(uri);
        else this.#watched.set(uri, rest);
      }
    };
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Listens by the filter as it is now; the round before goes on until this one has begun, so that nothing is missed. */
  #begin(): void {
    const before = this.#round;
    const round = new AbortController();
    this.#round = round;
    const signal = AbortSignal.any([this.#stop.signal, round.signal]);
    const begun = () => {
      before.abort();
    };
    // one that never acknowledges does not keep those before it
    this.#options.clock.sleep(ACKNOWLEDGED_MS, signal).then(begun, begun);
    this.#listen(signal, begun).catch((thrown: unknown) => {
      if (!signal.aborted) this.#options.log.error('listening ended', { error: String(thrown) });
    });
  }

  async #listen(signal: AbortSignal, begun: () => void): Promise<void> {
    const { front, principal, clock, log } = this.#options;
    const context: FrontContext = {
      principal,
      caller: null,
      signal,
      notify: (method, params) => {
        if (method === 'notifications/subscriptions/acknowledged') begun();
        else this.#heard(method, params);
        return true;
      },
    };
    // a function, because it changes while something is awaited
    const over = () => signal.aborted;
    while (!over()) {
      const notifications: McpListenFilter = {
        toolsListChanged: true,
        promptsListChanged: true,
        resourcesListChanged: true,
        ...(this.#watched.size === 0 ? {} : { resourceSubscriptions: [...this.#watched.keys()] }),
      };
      try {
        await front.request('subscriptions/listen', { notifications }, context);
      } catch (thrown) {
        if (!over()) log.debug('not listening', { reason: toTabmeshError(thrown).message });
      }
      begun();
      await clock.sleep(LISTEN_RETRY_MS, signal).catch(() => undefined);
      // nobody has told us meanwhile: look again when it is needed
      if (!over()) front.toolsChanged();
    }
  }

  #heard(method: string, params: Readonly<Record<string, unknown>>): void {
    const { changes, front } = this.#options;
    if (method === 'notifications/tools/list_changed') {
      front.toolsChanged();
      changes.tools();
    } else if (method === 'notifications/prompts/list_changed') changes.prompts();
    else if (method === 'notifications/resources/list_changed') changes.resources();
    else if (method === 'notifications/resources/updated') {
      const { uri } = params;
      if (typeof uri === 'string' && this.#watched.has(uri)) changes.updated(uri);
    }
  }
}
