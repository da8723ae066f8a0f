import type { McpListenFilter, McpObject } from '../../../src/contracts/mcp.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import type { PeerId } from '../../../src/lib/ids.ts';
import type { Log } from '../../../src/lib/log.ts';
import { mapBounded } from '../../../src/lib/semaphore.ts';
import { cursorAfter } from '../../../src/mesh/rpc/mcp-pages.ts';
import { isObject } from '../../../src/mesh/rpc/mcp-wire.ts';
import type { RoomMcp } from '../../rooms.ts';
import type { FrontContext } from './front.ts';
import { ASK_PEERS_AT_ONCE, ASK_PEERS_MS, LISTEN_MS, LISTEN_RETRY_MS } from './limits.ts';

/** Runs are known to the peer where they run: `run://PEER/RUN`. */
const RUN_URI = /^run:\/\/([A-Za-z0-9]+)\//;
/** Resources are listed by URI: what comes behind this are a peer's runs. */
const BEFORE_RUNS = 'run:';

/** The room's resources, prompts and completions as one server's. */
export interface RoomResources {
  request(method: string, params: McpObject, context: FrontContext): Promise<McpObject>;
  /** Tells of changes of the lists and of the resources named, until the signal fires. */
  listen(filter: McpListenFilter, context: FrontContext): Promise<void>;
}

/**
 * The room's resources, prompts and completions. Datasets, indexes and peers are known to every member, so this relay's own
 * server answers for the room; runs are asked where they are.
 */
export function roomResources(mcp: RoomMcp, clock: Clock, log: Log): RoomResources {
  const ask = (peer: PeerId, method: string, params: McpObject, { principal, signal }: FrontContext) =>
    mcp.forward(peer, method, params, principal, { signal, timeoutMs: ASK_PEERS_MS });

  const runsOf = async (peer: PeerId, context: FrontContext): Promise<readonly unknown[]> => {
    try {
      const answer = await ask(peer, 'resources/list', { cursor: cursorAfter(BEFORE_RUNS) }, context);
      const listed = isObject(answer) ? answer['resources'] : undefined;
      const entries: readonly unknown[] = Array.isArray(listed) ? listed : [];
      return entries.filter((entry) => isObject(entry) && ownerOf(entry['uri']) === peer);
    } catch (error) {
      context.signal.throwIfAborted();
      // a member that does not answer in time is left out, as if it had left
      log.debug('runs of a member not listed', { peer, reason: String(error) });
      return [];
    }
  };

  const request = async (method: string, params: McpObject, context: FrontContext): Promise<McpObject> => {
    if (method === 'resources/read') {
      const peer = ownerOf(params['uri']);
      if (peer !== undefined && mcp.peers().includes(peer)) {
        return (await ask(peer, method, params, context)) as McpObject;
      }
    }
    const own = await mcp.own.request(method, params, context);
    // the last page of our own is followed by what the others have
    if (method !== 'resources/list' || own['nextCursor'] !== undefined) return own;
    const elsewhere = await mapBounded(mcp.peers(), ASK_PEERS_AT_ONCE, (peer) => runsOf(peer, context));
    return { ...own, resources: [...(own['resources'] as readonly unknown[]), ...elsewhere.flat()] };
  };

  const listen = async (filter: McpListenFilter, context: FrontContext): Promise<void> => {
    const { principal, signal } = context;
    const notify: FrontContext['notify'] = (name, told) => PASSED_ON.has(name) && context.notify(name, told);
    const here: string[] = [];
    const elsewhere = new Map<PeerId, string[]>();
    for (const uri of filter.resourceSubscriptions ?? []) {
      const peer = ownerOf(uri);
      if (peer === undefined || peer === mcp.self().peer) here.push(uri);
      else elsewhere.set(peer, [...(elsewhere.get(peer) ?? []), uri]);
    }
    /** Listens again and again: one member that cannot be reached, or comes back, is no matter of the others. */
    const keepOn = async (uris: readonly string[], once: () => Promise<unknown>) => {
      // a function, because it changes while something is awaited
      const over = () => signal.aborted;
      for (let missed = false; !over(); missed = true) {
        // nobody has told of what happened meanwhile
        if (missed) for (const uri of uris) notify(UPDATED, { uri });
        try {
          await once();
        } catch (thrown) {
          if (!over()) log.debug('not listening', { error: String(thrown) });
        }
        await clock.sleep(LISTEN_RETRY_MS, signal).catch(() => undefined);
      }
    };
    const own = { notifications: { ...filter, toolsListChanged: false, resourceSubscriptions: here } };
    await Promise.all([
      keepOn(here, () => mcp.own.request(LISTEN, own, { ...context, notify })),
      ...[...elsewhere].map(([peer, resourceSubscriptions]) =>
        keepOn(resourceSubscriptions, () =>
          mcp.forward(peer, LISTEN, { notifications: { resourceSubscriptions } }, principal, {
            signal,
            timeoutMs: LISTEN_MS,
            onNotification: notify,
          }),
        ),
      ),
    ]);
  };

  return { request, listen };
}

const LISTEN = 'subscriptions/listen';
const UPDATED = 'notifications/resources/updated';
/** What is told of others' resources; the room acknowledges by itself. */
const PASSED_ON: ReadonlySet<string> = new Set([
  'notifications/prompts/list_changed',
  'notifications/resources/list_changed',
  UPDATED,
]);

/** Whose run a URI names; undefined when it is none. */
function ownerOf(uri: unknown): PeerId | undefined {
  return (typeof uri === 'string' ? RUN_URI.exec(uri)?.[1] : undefined) as PeerId | undefined;
}
