import { describe, expect, it } from 'vitest';
import type { RoomTool } from '../../../src/contracts/tools.ts';
import { groupTools } from '../../../src/app/tools/tool-groups.ts';

function tool(name: string, category: string, description: string): RoomTool {
  return { metadata: { name, category, description, annotations: { title: name } }, places: [] } as unknown as RoomTool;
}

const tools = [
  tool('search_index', 'search', 'Searches the room'),
  tool('collect_literature', 'research', 'Collects from PubMed'),
  tool('get_record', 'search', 'One record by CID'),
];

describe('groupTools', () => {
  it('sorts categories and tools', () => {
    expect(groupTools(tools, '').map(({ category, tools: members }) => [category, members.length])).toEqual([
      ['research', 1],
      ['search', 2],
    ]);
    expect(groupTools(tools, '')[1]?.tools[0]?.metadata.name).toBe('get_record');
  });

  it('finds every word anywhere, in any case', () => {
    expect(groupTools(tools, 'SEARCH record').map((group) => group.tools.map((each) => each.metadata.name))).toEqual([
      ['get_record'],
    ]);
    expect(groupTools(tools, 'nothing')).toEqual([]);
  });
});
