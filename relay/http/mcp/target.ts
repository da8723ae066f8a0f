import { createMcpHandler, type McpHttpHandler, type McpServer } from '@modelcontextprotocol/server';
import type { McpObject, McpServing } from '../../../src/contracts/mcp.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { TabmeshError, toTabmeshError } from '../../../src/lib/errors.ts';
import type { Log } from '../../../src/lib/log.ts';
import { REQUEST_NOTIFICATIONS } from '../../../src/mesh/rpc/mcp-methods.ts';
import { clientMeta, isObject } from '../../../src/mesh/rpc/mcp-wire.ts';
import type { RoomGateway } from '../../rooms.ts';
import type { Caller } from '../auth.ts';
import { createFrontServer, type FrontServerDeps, type FrontSession } from './front-server.ts';
import type { Front, FrontContext, ShownTool } from './front.ts';
import { MAX_BODY_BYTES, MAX_SUBSCRIPTIONS, MAX_WATCHED } from './limits.ts';
import { Listening } from './listening.ts';
import { onBodyEnd } from './on-body-end.ts';
import { protocolError } from './protocol-error.ts';
import type { TaskHost } from './tasks.ts';

/** A session of the older wire at a target. */
interface Attached {
  readonly server: McpServer;
  readonly watched: Map<string, () => void>;
}

/** How a call has ended: one of the two. */
export interface Outcome {
  readonly result?: McpObject;
  readonly thrown?: TabmeshError;
}

export interface TargetOptions {
  /** tells one target from another */
  readonly key: string;
  readonly front: Front;
  readonly gateway: RoomGateway;
  readonly tasks: TaskHost;
  readonly clock: Clock;
  readonly log: Log;
}

/** One address of the endpoint, for all of its clients on either wire. */
export class Target {
  readonly key: string;
  readonly #options: TargetOptions;
  readonly #listening: Listening;
  readonly #handler: McpHttpHandler;
  readonly #sessions = new Set<Attached>();
  /** the caller travels beside the request: a factory is told only what the SDK's own auth type can carry */
  readonly #asked = new WeakMap<Request, Pick<FrontServerDeps, 'caller' | 'only' | 'front'>>();
  #open = 0;
  #usedAt: number;

  constructor(options: TargetOptions) {
    const { key, front, gateway, clock, log } = options;
    this.key = key;
    this.#options = options;
    this.#usedAt = clock.now();
    this.#handler = createMcpHandler(
      ({ requestInfo }) => {
        const asked = requestInfo === undefined ? undefined : this.#asked.get(requestInfo);
        if (asked === undefined) throw new Error('an MCP request without a caller');
        return createFrontServer({ ...options, ...asked });
      },
      {
        legacy: 'reject',
        maxRequestBodySize: MAX_BODY_BYTES,
        maxSubscriptions: MAX_SUBSCRIPTIONS,
        onerror: (error) => {
          log.debug('mcp request rejected', { error: error.message });
        },
      },
    );
    this.#listening = new Listening({ front, principal: gateway.mcp.self(), changes: this.#changes(), clock, log });
  }

  /** not in use, and since when, ms since the epoch */
  get idleSince(): number {
    return this.#open > 0 || this.#sessions.size > 0 ? Infinity : this.#usedAt;
  }

  /** Has its front ready. @throws `peer_unreachable` */
  async prepare(signal: AbortSignal): Promise<void> {
    await this.#options.front.prepare(signal);
  }

  /** A tool that is offered here. */
  tool(name: string): ShownTool | undefined {
    return this.#options.front.tool(name);
  }

  serverInfo(): McpServing['serverInfo'] {
    return this.#options.front.discover().serverInfo;
  }

  /** A `tools/call` whose client listens to nothing but its answer. */
  async call(params: McpObject, caller: Caller, signal: AbortSignal): Promise<Outcome> {
    const { front, tasks, clock } = this.#options;
    this.#open++;
    try {
      const context: FrontContext = {
        principal: caller.principal,
        caller,
        signal,
        notify: (name) => REQUEST_NOTIFICATIONS.has(name),
      };
      const asked = { ...params, _meta: clientMeta(params['_meta']) };
      return { result: await tasks.call({ front, params: asked, context }) };
    } catch (thrown) {
      return { thrown: toTabmeshError(thrown) };
    } finally {
      this.#open--;
      this.#usedAt = clock.now();
    }
  }

  /**
   * A request on the stateless wire of MCP 2026-07-28.
   * @param outcome of the call that the request makes, when {@link call} has made it already
   * @throws `invalid_input`, `rate_limited` for too many watched resources; `forbidden` for a token that may not read them
   */
  async handle(request: Request, parsedBody: unknown, caller: Caller, outcome?: Outcome): Promise<Response> {
    const { front } = this.#options;
    const watched = watchedBy(parsedBody);
    if (watched.length > 0) caller.checkRead();
    const unwatch = this.#listening.watch(watched);
    this.#open++;
    const ended = () => {
      this.#open--;
      this.#usedAt = this.#options.clock.now();
      unwatch();
    };
    try {
      this.#asked.set(request, {
        caller,
        only: methodOf(parsedBody),
        front: outcome === undefined ? front : { ...front, request: async () => told(outcome) },
      });
      const response = await this.#handler.fetch(request, parsedBody === undefined ? {} : { parsedBody });
      return onBodyEnd(response, ended, request);
    } catch (error) {
      ended();
      throw error;
    }
  }

  /** A server for a new session of the older wire. @returns it, and what ends it here */
  attach(caller: Caller): { readonly server: McpServer; readonly detach: () => void } {
    const watched = new Map<string, () => void>();
    const session: FrontSession = {
      subscribe: (uri) => {
        if (watched.has(uri)) return;
        try {
          if (watched.size >= MAX_WATCHED) throw tooManyWatched();
          watched.set(uri, this.#listening.watch([uri]));
        } catch (thrown) {
          throw protocolError(toTabmeshError(thrown));
        }
      },
      unsubscribe: (uri) => {
        watched.get(uri)?.();
        watched.delete(uri);
      },
    };
    const attached: Attached = { server: createFrontServer({ ...this.#options, caller, session }), watched };
    this.#sessions.add(attached);
    return {
      server: attached.server,
      detach: () => {
        for (const unwatch of watched.values()) unwatch();
        this.#sessions.delete(attached);
        this.#usedAt = this.#options.clock.now();
      },
    };
  }

  async close(): Promise<void> {
    this.#listening.stop();
    this.#options.front.close();
    await this.#handler.close();
  }

  #changes() {
    const tell = (send: (server: McpServer['server']) => Promise<void>, to: (session: Attached) => boolean) => {
      for (const session of this.#sessions) {
        if (!to(session)) continue;
        send(session.server.server).catch((error: unknown) => {
          this.#options.log.debug('change not delivered', { error: String(error) });
        });
      }
    };
    const all = () => true;
    return {
      tools: () => {
        this.#handler.notify.toolsChanged();
        tell((server) => server.sendToolListChanged(), all);
      },
      prompts: () => {
        this.#handler.notify.promptsChanged();
        tell((server) => server.sendPromptListChanged(), all);
      },
      resources: () => {
        this.#handler.notify.resourcesChanged();
        tell((server) => server.sendResourceListChanged(), all);
      },
      updated: (uri: string) => {
        this.#handler.notify.resourceUpdated(uri);
        tell(
          (server) => server.sendResourceUpdated({ uri }),
          ({ watched }) => watched.has(uri),
        );
      },
    };
  }
}

function told({ result, thrown }: Outcome): McpObject {
  if (result !== undefined) return result;
  throw thrown ?? new TabmeshError('internal', 'a call ended in no way');
}

function tooManyWatched(): TabmeshError {
  return new TabmeshError('invalid_input', 'one client watches too many resources', {
    hint: 'Watch fewer, or read them from time to time.',
    details: { limit: MAX_WATCHED },
  });
}

function methodOf(body: unknown): string | undefined {
  const method = isObject(body) ? body['method'] : undefined;
  return typeof method === 'string' ? method : undefined;
}

/** The resources that a `subscriptions/listen` is about. @throws `invalid_input` for too many */
function watchedBy(body: unknown): readonly string[] {
  const isListen = isObject(body) && body['method'] === 'subscriptions/listen';
  const params = isListen && isObject(body['params']) ? body['params'] : {};
  const filter = isObject(params['notifications']) ? params['notifications'] : {};
  const uris = filter['resourceSubscriptions'];
  const watched = Array.isArray(uris) ? uris.filter((uri) => typeof uri === 'string') : [];
  if (watched.length > MAX_WATCHED) throw tooManyWatched();
  return watched;
}
