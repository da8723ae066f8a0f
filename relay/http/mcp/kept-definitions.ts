import type { ToolDefinition } from '../../../src/contracts/definitions.ts';
import { MAX_KEPT_CHARS, MAX_KEPT_DEFINITION_CHARS } from './limits.ts';

/** Pinned definitions themselves, so that a changed one can be shown beside the one before; the hash alone decides. */
export class KeptDefinitions {
  readonly #kept = new Map<string, { readonly definition: ToolDefinition; readonly chars: number }>();
  #chars = 0;

  constructor(initial: Readonly<Record<string, ToolDefinition>>) {
    for (const definition of Object.values(initial)) this.put(definition);
  }

  /** Keeps it in the place of what was kept of this tool, or nothing where it is too large. */
  put(definition: ToolDefinition): void {
    const { name } = definition;
    this.drop(name);
    const chars = JSON.stringify(definition).length;
    if (chars > MAX_KEPT_DEFINITION_CHARS || this.#chars + chars > MAX_KEPT_CHARS) return;
    this.#chars += chars;
    this.#kept.set(name, { definition, chars });
  }

  drop(tool: string): void {
    this.#chars -= this.#kept.get(tool)?.chars ?? 0;
    this.#kept.delete(tool);
  }

  get(tool: string): ToolDefinition | null {
    return this.#kept.get(tool)?.definition ?? null;
  }

  /** by tool */
  all(): Readonly<Record<string, ToolDefinition>> {
    return Object.fromEntries([...this.#kept].map(([tool, { definition }]) => [tool, definition]));
  }
}
