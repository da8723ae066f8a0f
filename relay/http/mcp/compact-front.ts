import type { McpObject } from '../../../src/contracts/mcp.ts';
import { mcpError } from '../../../src/mesh/rpc/mcp-error.ts';
import { isObject, META } from '../../../src/mesh/rpc/mcp-wire.ts';
import type { Front, FrontContext, ShownTool } from './front.ts';

/** Four meta-tools instead of all: for clients whose context a whole list would fill. */
const COMPACT_CALL = 'call_tool';

const INVALID_PARAMS = -32_602;
/** Of a description, what a list of many shows; the schema has the rest. */
const FIRST_LINE = 100;

const TEXT = (description: string) => ({ type: 'string', description });
const READ_ONLY = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false };

const META_TOOLS = [
  {
    name: 'list_categories',
    title: 'List categories',
    description: 'Lists the categories of tools that this room offers, with how many tools each has. Begin here.',
    inputSchema: { type: 'object', properties: {}, additionalProperties: false },
    annotations: READ_ONLY,
  },
  {
    name: 'list_tools',
    title: 'List the tools of a category',
    description: 'Lists the tools of one category: each name with the first words of what it does.',
    inputSchema: {
      type: 'object',
      properties: { category: TEXT('one of list_categories') },
      required: ['category'],
      additionalProperties: false,
    },
    annotations: READ_ONLY,
  },
  {
    name: 'get_schema',
    title: 'Get the schema of a tool',
    description: 'Returns the whole description of one tool, with the JSON Schema of its arguments and of its answer.',
    inputSchema: {
      type: 'object',
      properties: { tool: TEXT('a name from list_tools') },
      required: ['tool'],
      additionalProperties: false,
    },
    annotations: READ_ONLY,
  },
  {
    name: COMPACT_CALL,
    title: 'Call a tool',
    description: 'Calls a tool with arguments that fit its schema. Read the schema with get_schema first.',
    inputSchema: {
      type: 'object',
      properties: {
        tool: TEXT('a name from list_tools'),
        arguments: { type: 'object', description: 'the arguments of that tool' },
      },
      required: ['tool'],
      additionalProperties: false,
    },
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
    // some of those behind it take long
    _meta: { [META.task]: 'optional' },
  },
] as const satisfies readonly ShownTool[];

/** Shows a front in compact mode: its tools behind {@link META_TOOLS}, everything else as it is. */
export function createCompactFront(front: Front): Front {
  const listAll = async (context: FrontContext): Promise<readonly ShownTool[]> => {
    const tools: ShownTool[] = [];
    let cursor: unknown;
    do {
      const page = await front.request('tools/list', cursor === undefined ? {} : { cursor }, context);
      tools.push(...(page['tools'] as readonly ShownTool[]));
      cursor = page['nextCursor'];
    } while (cursor !== undefined);
    return tools;
  };
  const find = async (name: unknown, context: FrontContext): Promise<ShownTool> => {
    const tools = await listAll(context);
    const tool = tools.find((each) => each.name === name);
    if (tool !== undefined) return tool;
    throw mcpError(INVALID_PARAMS, `there is no tool ${String(name)}`, { tools: tools.map((each) => each.name) });
  };

  const serve: Readonly<Record<string, (args: McpObject, context: FrontContext) => Promise<McpObject>>> = {
    async list_categories(_args, context) {
      const counts = new Map<string, number>();
      for (const tool of await listAll(context)) counts.set(categoryOf(tool), (counts.get(categoryOf(tool)) ?? 0) + 1);
      const categories = [...counts].sort().map(([category, tools]) => ({ category, tools }));
      return answer({ categories });
    },
    async list_tools({ category }, context) {
      const all = await listAll(context);
      const tools = all.filter((tool) => categoryOf(tool) === category);
      if (tools.length === 0) {
        const categories = [...new Set(all.map(categoryOf))].sort();
        throw mcpError(INVALID_PARAMS, `there is no category ${String(category)}`, { categories });
      }
      return answer({ tools: tools.map((tool) => ({ name: tool.name, description: firstWords(tool.description) })) });
    },
    async get_schema({ tool }, context) {
      const { _meta: _, ...shown } = await find(tool, context);
      return answer(shown);
    },
  };

  return {
    ...front,
    tool: (name) => META_TOOLS.find((tool) => tool.name === name),
    async request(method, params, context) {
      if (method === 'tools/list') return { tools: META_TOOLS };
      if (method !== 'tools/call') return await front.request(method, params, context);
      const { name } = params;
      const args = isObject(params['arguments']) ? params['arguments'] : {};
      if (name === COMPACT_CALL) {
        return await front.request(
          method,
          { ...params, name: args['tool'], arguments: args['arguments'] ?? {} },
          context,
        );
      }
      const meta = typeof name === 'string' && Object.hasOwn(serve, name) ? serve[name] : undefined;
      if (meta === undefined) throw mcpError(INVALID_PARAMS, `there is no tool ${String(name)}`);
      return await meta(args, context);
    },
  };
}

/** The tool that a call in compact mode runs; null for one that only looks things up. */
export function compactCallee(name: unknown, args: unknown): unknown {
  return name === COMPACT_CALL && isObject(args) ? args['tool'] : null;
}

function answer(value: McpObject): McpObject {
  return { content: [{ type: 'text', text: JSON.stringify(value) }], structuredContent: value };
}

function categoryOf({ _meta }: ShownTool): string {
  const ours = _meta?.[META.metadata];
  const category = isObject(ours) ? ours['category'] : undefined;
  return typeof category === 'string' ? category : 'general';
}

function firstWords(description = ''): string {
  const [line = ''] = description.split('\n');
  return line.length <= FIRST_LINE ? line : `${line.slice(0, FIRST_LINE - 1)}…`;
}
