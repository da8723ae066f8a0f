import type { RoomTool, ToolMetadata } from '../../../src/contracts/tools.ts';
import { foreignDescription, plainSchema, plainText } from '../../../src/mesh/rpc/mcp-foreign-text.ts';
import { toMcpTool } from '../../../src/mesh/rpc/mcp-wire.ts';
import type { RoomGateway } from '../../rooms.ts';
import type { ShownTool } from './front.ts';
import type { Pins } from './pins.ts';
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
 * @param onChange told after each change of what the list shows; a tool that only gained or lost a place is no change
 */
export function createToolList({ tools: room }: RoomGateway, pins: Pins, onChange: () => void): ToolList {
  let built = build(room.list(), pins);
  const rebuild = () => {
    const next = build(room.list(), pins);
    if (next.text === built.text) return;
    built = next;
    onChange();
  };
  const unsubscribe = [room.subscribe(rebuild), pins.subscribe(rebuild)];
  return {
    tools: () => built.tools,
    metadata: (name) => built.byName.get(name)?.metadata,
    tool: (name) => built.byName.get(name)?.shown,
    close: () => {
      for (const stop of unsubscribe) stop();
    },
  };
}

function build(roomTools: readonly RoomTool[], pins: Pins): Built {
  const tools = roomTools
    .filter((tool) => pins.admit(tool))
    .map((tool) => ({ metadata: tool.metadata, shown: show(tool) }))
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  return {
    tools,
    byName: new Map(tools.map((tool) => [tool.metadata.name, tool])),
    text: JSON.stringify(tools.map(({ shown }) => shown)),
  };
}

function show({ metadata, places }: RoomTool): ShownTool {
  const inputSchema = withPlace(metadata.inputSchema);
  const offeredHere = places.some(({ kind }) => kind === 'self');
  if (offeredHere) return toMcpTool({ ...metadata, inputSchema }) as unknown as ShownTool;
  const { annotations, outputSchema, description } = metadata;
  return toMcpTool({
    ...metadata,
    description: foreignDescription(description, places[0]?.name ?? 'unknown'),
    annotations: { ...annotations, title: plainText(annotations.title) },
    inputSchema: plainSchema(inputSchema),
    outputSchema: plainSchema(outputSchema),
  }) as unknown as ShownTool;
}
