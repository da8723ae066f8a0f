import type { McpObject, McpProvider } from '../../contracts/mcp.ts';
import { TabmeshError } from '../../lib/errors.ts';
import { complete } from './mcp-completion.ts';
import { listen } from './mcp-listen.ts';
import { getPrompt, listPrompts } from './mcp-prompts.ts';
import { listResources, listTemplates, readResource } from './mcp-resources.ts';
import type { McpSources } from './mcp-sources.ts';

type Serve = McpProvider['request'];

/** All of a peer's MCP server but its tools. What tells of the room is for those who may read it. */
export function createRestOfProvider(sources: McpSources): Serve {
  const reading =
    (serve: (...args: Parameters<Serve>) => McpObject | Promise<McpObject>): Serve =>
    async (method, params, context) => {
      sources.mayRead(context.principal);
      return await serve(method, params, context);
    };
  const methods: Readonly<Record<string, Serve>> = {
    'resources/list': reading((_method, params) => listResources(sources, params)),
    'resources/templates/list': reading(() => listTemplates()),
    'resources/read': reading((_method, params, { signal }) => readResource(sources, params, signal)),
    'prompts/list': () => Promise.resolve(listPrompts()),
    'prompts/get': reading((_method, params) => getPrompt(sources, params)),
    'completion/complete': reading((_method, params) => complete(sources, params)),
    'subscriptions/listen': reading((_method, params, context) => listen(sources, params, context)),
  };
  return (method, params, context) => {
    const serve = Object.hasOwn(methods, method) ? methods[method] : undefined;
    if (serve !== undefined) return serve(method, params, context);
    return Promise.reject(new TabmeshError('unsupported', `this peer has no method ${method}`));
  };
}
