import type { McpObject } from '../../contracts/mcp.ts';
import { RPC_CODES } from '../../mesh/rpc/json-rpc.ts';
import { mcpError } from '../../mesh/rpc/mcp-error.ts';
import { isObject } from '../../mesh/rpc/mcp-wire.ts';
import { promptArguments } from './mcp-prompts.ts';
import { listTemplates, RECORDS_A_READ } from './mcp-resources.ts';
import type { McpSources } from './mcp-sources.ts';

/** MCP: a completion has at most this many values. */
const MAX_VALUES = 100;

type Values = Readonly<Record<string, (sources: McpSources, others: McpObject) => readonly string[]>>;

/** What may stand for an argument of a prompt, from what is here now. */
const PROMPT_VALUES: Values = {
  dataset: ({ datasets }) => datasets.list().flatMap(({ data, name }) => [data, name]),
  question: ({ datasets }) => datasets.list().map(({ query }) => query),
  first: ({ datasets }) => datasets.list().map(({ query }) => query),
  second: ({ datasets }) => datasets.list().map(({ query }) => query),
  max_results: () => ['50', '100', '200', '500', '1000'],
  top_k: () => ['10', '20', '50'],
};

/** What may stand for a variable of a resource's URI. */
const URI_VALUES: Values = {
  dataset: ({ datasets }) => datasets.list().map(({ data }) => data),
  peer: ({ peers }) => peers().map(({ peer }) => peer),
  run: ({ runs }) => runs.list().map(({ runId }) => runId),
  offset: ({ datasets }, { dataset }) => {
    const count = datasets.list().find(({ data }) => data === dataset)?.count ?? 0;
    return Array.from({ length: Math.ceil(count / RECORDS_A_READ) }, (_, page) => String(page * RECORDS_A_READ));
  },
};

/** The variables of a URI template, which are the arguments that can be completed. */
const VARIABLE = /\{(\w+)\}/g;

/**
 * `completion/complete`: values that contain what was typed, those that begin with it first. CIDs stand for resources,
 * names and CIDs for prompts.
 * @throws `invalid_input` (−32602) for a prompt or template that does not exist
 */
export function complete(sources: McpSources, { ref, argument, context }: McpObject): McpObject {
  const known = argumentsOf(ref);
  if (known === undefined || !isObject(argument)) {
    throw mcpError(RPC_CODES.invalidParams, 'there is no such prompt or resource template');
  }
  const { name, value } = argument;
  const typed = typeof value === 'string' ? value.toLowerCase() : '';
  const others = isObject(context) && isObject(context['arguments']) ? context['arguments'] : {};
  const values = isObject(ref) && ref['type'] === 'ref/resource' ? URI_VALUES : PROMPT_VALUES;
  const offered = typeof name === 'string' && known.includes(name) ? (values[name]?.(sources, others) ?? []) : [];
  const fits = [...new Set(offered)].filter((each) => each.toLowerCase().includes(typed));
  const first = fits.filter((each) => each.toLowerCase().startsWith(typed));
  const best = [...first, ...fits.filter((each) => !first.includes(each))];
  return {
    completion: { values: best.slice(0, MAX_VALUES), total: best.length, hasMore: best.length > MAX_VALUES },
  };
}

function argumentsOf(ref: unknown): readonly string[] | undefined {
  if (!isObject(ref)) return undefined;
  if (ref['type'] === 'ref/prompt') return promptArguments(ref['name']);
  const templates = listTemplates()['resourceTemplates'] as readonly { readonly uriTemplate: string }[];
  const template = templates.find(({ uriTemplate }) => uriTemplate === ref['uri'])?.uriTemplate;
  return template === undefined ? undefined : [...template.matchAll(VARIABLE)].map(([, name = '']) => name);
}
