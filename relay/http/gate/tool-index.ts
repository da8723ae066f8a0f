import type { RoomTools, ToolMetadata } from '../../../src/contracts/tools.ts';

/** Looks tools of a room up by name, without making the list anew for every call. */
export type ToolIndex = (name: string) => ToolMetadata | undefined;

const indexes = new WeakMap<RoomTools, ToolIndex>();

/** The {@link ToolIndex} of a room: one for each, however often it is asked for. It lives as long as the room's tools do. */
export function toolIndex(tools: RoomTools): ToolIndex {
  const existing = indexes.get(tools);
  if (existing !== undefined) return existing;
  let byName: ReadonlyMap<string, ToolMetadata> | null = null;
  tools.subscribe(() => {
    byName = null;
  });
  const index: ToolIndex = (name) => {
    byName ??= new Map(tools.list().map(({ metadata }) => [metadata.name, metadata]));
    return byName.get(name);
  };
  indexes.set(tools, index);
  return index;
}
