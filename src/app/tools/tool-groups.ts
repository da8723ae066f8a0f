import type { RoomTool } from '../../contracts/tools.ts';

export interface ToolGroup {
  readonly category: string;
  readonly tools: readonly RoomTool[];
}

/**
 * The tools whose name, title, description or category hold every word of `filter`, grouped by category; both in
 * alphabetical order.
 */
export function groupTools(tools: readonly RoomTool[], filter: string): readonly ToolGroup[] {
  const words = filter.toLocaleLowerCase('en').split(/\s+/).filter(Boolean);
  const groups = new Map<string, RoomTool[]>();
  for (const tool of tools) {
    const { name, category, description, annotations } = tool.metadata;
    const text = `${name} ${annotations.title} ${category} ${description}`.toLocaleLowerCase('en');
    if (!words.every((word) => text.includes(word))) continue;
    const group = groups.get(category) ?? [];
    group.push(tool);
    groups.set(category, group);
  }
  return [...groups]
    .map(([category, members]) => ({
      category,
      tools: members.toSorted((a, b) => a.metadata.name.localeCompare(b.metadata.name, 'en')),
    }))
    .toSorted((a, b) => a.category.localeCompare(b.category, 'en'));
}
