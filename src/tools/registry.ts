import type { RegistryStatistics } from '../contracts/routing.ts';
import type { Runtime } from '../contracts/tools.ts';
import { TabmeshError } from '../lib/errors.ts';
import { createListeners } from '../lib/listeners.ts';
import type { Log } from '../lib/log.ts';
import { silentLog } from '../lib/log.ts';
import type { Tool } from './define-tool.ts';
import { metadataWarnings } from './metadata.ts';

/** The tools that this peer can run, by name, runtime and category. */
export interface ToolRegistry {
  /** Takes a tool, or takes it in the place of one of the same name; logs when that one ran elsewhere. */
  register(tool: Tool): void;
  get(name: string): Tool | undefined;
  /** ordered by name */
  list(): readonly Tool[];
  /** ordered by name; empty for a runtime that no tool has */
  listByRuntime(runtime: Runtime): readonly Tool[];
  /** ordered by name; empty for a category that no tool has */
  listByCategory(category: string): readonly Tool[];
  statistics(): RegistryStatistics;
  clear(): void;
  /** called after the tools changed; returns the unsubscribe function */
  subscribe(listener: () => void): () => void;
}

/**
 * Makes a registry.
 * @param tools what it holds from the start
 * @param log told of tools whose metadata is incomplete, and of those that change their runtime
 * @throws `conflict` when two of `tools` have the same name
 */
export function createToolRegistry(tools: readonly Tool[] = [], log: Log = silentLog): ToolRegistry {
  const byName = new Map<string, Tool>();
  const listeners = createListeners();
  // made anew after a change, so that no index can keep what a name was before
  let sorted: readonly Tool[] | null = null;
  let byRuntime: ReadonlyMap<Runtime, readonly Tool[]> | null = null;
  let byCategory: ReadonlyMap<string, readonly Tool[]> | null = null;

  const changed = () => {
    sorted = byRuntime = byCategory = null;
    listeners.notify();
  };
  const put = (tool: Tool) => {
    const { name, runtime } = tool.metadata;
    const before = byName.get(name)?.metadata.runtime ?? runtime;
    if (before !== runtime) log.warn('tool registered under another runtime', { tool: name, before, now: runtime });
    const warnings = metadataWarnings(tool.metadata);
    if (warnings.length > 0) log.warn('tool metadata incomplete', { tool: name, warnings });
    byName.set(name, tool);
  };
  for (const tool of tools) {
    const { name } = tool.metadata;
    if (byName.has(name)) {
      throw new TabmeshError('conflict', `two tools are named ${name}`, { hint: 'Give one of them another name.' });
    }
    put(tool);
  }

  const list = () => (sorted ??= [...byName.values()].sort(byToolName));
  const runtimes = () => (byRuntime ??= Map.groupBy(list(), ({ metadata }) => metadata.runtime));
  const categories = () => (byCategory ??= Map.groupBy(list(), ({ metadata }) => metadata.category));
  const count = (runtime: Runtime) => runtimes().get(runtime)?.length ?? 0;
  return {
    register(tool) {
      put(tool);
      changed();
    },
    get: (name) => byName.get(name),
    list,
    listByRuntime: (runtime) => runtimes().get(runtime) ?? [],
    listByCategory: (category) => categories().get(category) ?? [],
    statistics: () => ({
      total: byName.size,
      byRuntime: { mesh: count('mesh'), relay: count('relay'), auto: count('auto') },
      byCategory: Object.fromEntries([...categories()].map(([name, held]) => [name, held.length])),
      p2pTools: list().filter(({ metadata }) => metadata.requiresP2p).length,
      categories: categories().size,
    }),
    clear() {
      byName.clear();
      changed();
    },
    subscribe: (listener) => listeners.add(listener),
  };
}

/** By code unit, not by locale: the same order on every machine. */
function byToolName(a: Tool, b: Tool): number {
  return a.metadata.name < b.metadata.name ? -1 : 1;
}
