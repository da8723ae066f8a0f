import type { McpObject } from '../../../src/contracts/mcp.ts';
import { isObject } from '../../../src/mesh/rpc/mcp-wire.ts';

/** A collection over this asks first: it takes minutes of a public service's time and megabytes of every holder's disk. */
const ASK_ABOVE_RECORDS = 1_000;

/** The name under which the answer comes back. */
const KEY = 'go_ahead';
const CLIENT_CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';

/** What a person should decide before a tool runs: the question, or null when there is none. */
const DECISIONS: ReadonlyMap<string, (args: McpObject) => string | null> = new Map([
  [
    'collect_literature',
    ({ max_results, query }: McpObject) =>
      typeof max_results === 'number' && max_results > ASK_ABOVE_RECORDS
        ? `This downloads up to ${String(max_results)} records for “${String(query)}” from PubMed and keeps them in the ` +
          'room. It takes several minutes. Go ahead?'
        : null,
  ],
]);

/**
 * Asks the person behind the client before a call that should be decided by one. A client that cannot ask (it declares no
 * elicitation) is not kept from calling: it has been told what the tool does.
 * @returns the question, or the result of a call that was declined; null when the call may run
 */
export function decisionFor(tool: string, args: unknown, params: McpObject): McpObject | null {
  const question = isObject(args) ? (DECISIONS.get(tool)?.(args) ?? null) : null;
  if (question === null || !canAsk(params['_meta'])) return null;
  const responses = params['inputResponses'];
  const answer = isObject(responses) ? responses[KEY] : undefined;
  if (!isObject(answer)) return inputRequired(question);
  const content = answer['content'];
  if (answer['action'] === 'accept' && isObject(content) && content[KEY] === true) return null;
  return {
    content: [{ type: 'text', text: `${tool} was not run: the person did not agree.` }],
    isError: true,
  };
}

function inputRequired(message: string): McpObject {
  const requestedSchema = {
    type: 'object',
    properties: { [KEY]: { type: 'boolean', title: 'Go ahead', default: false } },
    required: [KEY],
  };
  return {
    resultType: 'input_required',
    inputRequests: { [KEY]: { method: 'elicitation/create', params: { mode: 'form', message, requestedSchema } } },
  };
}

function canAsk(meta: unknown): boolean {
  const capabilities = isObject(meta) ? meta[CLIENT_CAPABILITIES] : undefined;
  return isObject(capabilities) && isObject(capabilities['elicitation']);
}
