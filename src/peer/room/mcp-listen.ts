import type { McpObject, McpRequestContext } from '../../contracts/mcp.ts';
import { coalesce } from '../../lib/coalesce.ts';
import { TabmeshError } from '../../lib/errors.ts';
import { isObject } from '../../mesh/rpc/mcp-wire.ts';
import { allResources, watchedState } from './mcp-resources.ts';
import type { McpSources } from './mcp-sources.ts';

/** Changes come in bursts (a tab's reload is a dozen): told once when one is over. */
const QUIET_MS = 250;
/** Resources that one listener watches. */
const MAX_WATCHED = 1_024;

const TOOLS = 'notifications/tools/list_changed';
const RESOURCES = 'notifications/resources/list_changed';
const UPDATED = 'notifications/resources/updated';

/**
 * `subscriptions/listen`: tells of changes until the caller has enough. A change is told when what can be read is another
 * than before, and again until the caller's stream has taken it.
 * @throws `invalid_input` for more resources than one listener may name
 */
export async function listen(sources: McpSources, params: McpObject, context: McpRequestContext): Promise<McpObject> {
  const { signal, notify } = context;
  const filter = isObject(params['notifications']) ? params['notifications'] : {};
  const wanted = filter['resourceSubscriptions'];
  const uris = Array.isArray(wanted) ? wanted.filter((uri) => typeof uri === 'string') : [];
  if (uris.length > MAX_WATCHED) {
    throw new TabmeshError('invalid_input', 'too many resources are named to be watched', {
      details: { limit: MAX_WATCHED },
    });
  }
  const honoured = {
    ...(filter['toolsListChanged'] === true ? { toolsListChanged: true } : {}),
    ...(filter['resourcesListChanged'] === true ? { resourcesListChanged: true } : {}),
    ...(uris.length === 0 ? {} : { resourceSubscriptions: uris }),
  };

  /** what is watched: how it reads now, and how its change is told */
  const watched: { readonly read: () => unknown; readonly tell: () => boolean; was: string }[] = [];
  const watch = (read: () => unknown, tell: () => boolean) => {
    watched.push({ read, tell, was: JSON.stringify(read()) });
  };
  if (filter['toolsListChanged'] === true) watch(sources.tools, () => notify(TOOLS, {}));
  if (filter['resourcesListChanged'] === true) {
    watch(
      () => allResources(sources).map(({ uri, name }) => [uri, name]),
      () => notify(RESOURCES, {}),
    );
  }
  for (const uri of new Set(uris)) {
    watch(
      () => watchedState(sources, uri),
      () => notify(UPDATED, { uri }),
    );
  }
  notify('notifications/subscriptions/acknowledged', { notifications: honoured });
  if (watched.length === 0) return {};

  const look = coalesce(
    () => {
      for (const each of watched) {
        const now = JSON.stringify(each.read());
        if (now === each.was) continue;
        if (each.tell()) each.was = now;
        // the stream is full: once more, when some of it has left
        else look.soon();
      }
    },
    QUIET_MS,
    sources.clock,
    signal,
  );
  const unsubscribe = sources.subscribe(() => {
    look.soon();
  });
  try {
    await aborted(signal);
  } finally {
    unsubscribe();
  }
  return {};
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else
      signal.addEventListener(
        'abort',
        () => {
          resolve();
        },
        { once: true },
      );
  });
}
