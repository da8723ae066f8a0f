import { TabmeshError } from '../lib/errors.ts';
import { createListeners } from '../lib/listeners.ts';
import type { Tool } from './define-tool.ts';

/** The tools that this peer can run. */
export interface ToolRegistry {
  /** @throws `conflict` when a tool of that name is there already; nothing is replaced */
  register(tool: Tool): void;
  get(name: string): Tool | undefined;
  /** ordered by name */
  list(): readonly Tool[];
  /** called after a tool was registered; returns the unsubscribe function */
  subscribe(listener: () => void): () => void;
}

/**
 * Makes a registry.
 * @param tools what it holds from the start
 * @throws `conflict` when two of them have the same name
 */
export function createToolRegistry(tools: readonly Tool[] = []): ToolRegistry {
  const byName = new Map<string, Tool>();
  const listeners = createListeners();
  let sorted: readonly Tool[] | null = null;

  const register = (tool: Tool) => {
    const { name } = tool.metadata;
    if (byName.has(name)) {
      throw new TabmeshError('conflict', `a tool named ${name} is registered already`, {
        hint: 'Give the new tool another name.',
      });
    }
    byName.set(name, tool);
    sorted = null;
    listeners.notify();
  };
  for (const tool of tools) register(tool);

  return {
    register,
    get: (name) => byName.get(name),
    list: () => (sorted ??= [...byName.values()].sort(byToolName)),
    subscribe: (listener) => listeners.add(listener),
  };
}

/** By code unit, not by locale: the same order on every machine. */
function byToolName(a: Tool, b: Tool): number {
  return a.metadata.name < b.metadata.name ? -1 : 1;
}
