import type { RoomTool, RoomTools, ToolMetadata } from '../../../src/contracts/tools.ts';
import { toMcpTool } from '../../../src/mesh/rpc/mcp-wire.ts';
import type { ShownTool } from './front.ts';
import { withPlace } from './place-argument.ts';

/** A tool of the room and how MCP shows it. */
export interface ListedTool {
  readonly metadata: ToolMetadata;
  readonly shown: ShownTool;
}

/** The tools of a room as MCP shows them, made once per change and not once per request. */
export interface ToolList {
  /** in the order of names, so that two answers are the same text */
  tools(): readonly ListedTool[];
  metadata(name: string): ToolMetadata | undefined;
  tool(name: string): ShownTool | undefined;
  close(): void;
}

interface Built {
  readonly tools: readonly ListedTool[];
  readonly byName: ReadonlyMap<string, ListedTool>;
  readonly text: string;
}

/**
 * Makes a {@link ToolList}.
 * @param room as `trustedTools` has them
 * @param onChange told after each change of what the list shows; a tool that only gained or lost a place is no change
 */
export function createToolList(room: RoomTools, onChange: () => void): ToolList {
  let built = build(room.list());
  const rebuild = () => {
    const next = build(room.list());
    if (next.text === built.text) return;
    built = next;
    onChange();
  };
  const close = room.subscribe(rebuild);
  return {
    tools: () => built.tools,
    metadata: (name) => built.byName.get(name)?.metadata,
    tool: (name) => built.byName.get(name)?.shown,
    close,
  };
}

function build(roomTools: readonly RoomTool[]): Built {
  const tools = roomTools
    .map((tool) => ({ metadata: tool.metadata, shown: show(tool.metadata) }))
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  return {
    tools,
    byName: new Map(tools.map((tool) => [tool.metadata.name, tool])),
    text: JSON.stringify(tools.map(({ shown }) => shown)),
  };
}

function show(metadata: ToolMetadata): ShownTool {
  return toMcpTool({ ...metadata, inputSchema: withPlace(metadata.inputSchema) }) as unknown as ShownTool;
}
