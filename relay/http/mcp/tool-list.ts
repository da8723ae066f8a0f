import type { Tool } from '@modelcontextprotocol/server';
import type { RoomTool, RoomTools, ToolMetadata } from '../../../src/contracts/tools.ts';
import { toMcpTool } from '../../../src/mesh/rpc/mcp-wire.ts';

/** The tools of a room as MCP shows them, made once per change and not once per request. */
export interface ToolList {
  /** in the order of names, so that two answers are the same text */
  tools(): readonly Tool[];
  metadata(name: string): ToolMetadata | undefined;
  close(): void;
}

interface Built {
  readonly tools: readonly Tool[];
  readonly byName: ReadonlyMap<string, ToolMetadata>;
}

/**
 * Makes a {@link ToolList}.
 * @param onChange told after each change of what the list shows; a tool that only gained or lost a place is no change
 */
export function createToolList(room: RoomTools, onChange: () => void): ToolList {
  let built = build(room.list());
  let shown = JSON.stringify(built.tools);
  const unsubscribe = room.subscribe(() => {
    const next = build(room.list());
    const text = JSON.stringify(next.tools);
    if (text === shown) return;
    built = next;
    shown = text;
    onChange();
  });
  return {
    tools: () => built.tools,
    metadata: (name) => built.byName.get(name),
    close: unsubscribe,
  };
}

function build(roomTools: readonly RoomTool[]): Built {
  const sorted = roomTools.map(({ metadata }) => metadata).sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    tools: sorted.map((metadata) => toMcpTool(metadata) as Tool),
    byName: new Map(sorted.map((metadata) => [metadata.name, metadata])),
  };
}
