import type { ServerCapabilities, ServerContext } from '@modelcontextprotocol/server';
import { McpServer } from '@modelcontextprotocol/server';
import type { McpObject, McpServing } from '../../../src/contracts/mcp.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { TabmeshError, toTabmeshError } from '../../../src/lib/errors.ts';
import type { Log } from '../../../src/lib/log.ts';
import { REQUEST_NOTIFICATIONS } from '../../../src/mesh/rpc/mcp-methods.ts';
import { clientMeta } from '../../../src/mesh/rpc/mcp-wire.ts';
import type { Caller } from '../auth.ts';
import { currentRequest } from '../gate/context.ts';
import type { Front, FrontContext } from './front.ts';
import { progressSender } from './progress.ts';
import { protocolError } from './protocol-error.ts';
import { tasksOf, type TaskHost, type ToolCall } from './tasks.ts';

/** Requests that go to the front as they are, by the capability that has to be declared for them. */
const METHODS = {
  tools: ['tools/list'],
  resources: ['resources/list', 'resources/templates/list', 'resources/read'],
  prompts: ['prompts/list', 'prompts/get'],
  completions: ['completion/complete'],
} as const;

const CLIENT_CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';
const LOG_LEVEL = 'io.modelcontextprotocol/logLevel';

export interface FrontServerDeps {
  readonly front: Front;
  readonly caller: Caller;
  readonly tasks: TaskHost;
  readonly clock: Clock;
  readonly log: Log;
  /** for the older wire: what a session keeps. The newer one says it with every request */
  readonly session?: FrontSession;
  /** the only method that it will be asked; all when absent */
  readonly only?: string | undefined;
}

/** What a session of the older wire keeps. */
export interface FrontSession {
  subscribe(uri: string): void;
  unsubscribe(uri: string): void;
}

/** The SDK's class, with the schemas of tools that it has not registered: it checks `Mcp-Param-*` headers by them. */
class FrontMcpServer extends McpServer {
  readonly #front: Front;

  constructor(front: Front, serving: McpServing, capabilities: ServerCapabilities) {
    const { serverInfo, instructions } = serving;
    super(serverInfo, instructions === undefined ? {} : { instructions });
    this.#front = front;
    // given to the constructor, they would have it make handlers of its own, which ours then replace
    this.server.registerCapabilities(capabilities);
  }

  override toolInputSchemaJson(name: string): Record<string, unknown> | undefined {
    return this.#front.tool(name)?.inputSchema;
  }
}

/**
 * An MCP server for one caller in front of a prepared {@link Front}. Its handlers are the low-level ones: tools registered
 * with the high-level class would be made anew for every request (measured: several times slower with forty tools), and it
 * hides protocol errors.
 */
export function createFrontServer(deps: FrontServerDeps): McpServer {
  const { front, caller, tasks, clock, log, session, only } = deps;
  const serving = front.discover();
  const capabilities = shownCapabilities(serving.capabilities, session !== undefined, mayRead(caller));
  const mcp = new FrontMcpServer(front, serving, capabilities);
  const { server } = mcp;
  let logLevel = 'debug';

  const serve = async (method: string, given: McpObject | undefined, from: ServerContext): Promise<McpObject> => {
    const { mcpReq } = from;
    const progress = progressSender(from, clock, log);
    const state: unknown = mcpReq.requestState();
    const meta =
      session === undefined
        ? { ...mcpReq._meta, ...mcpReq.envelope }
        : { ...mcpReq._meta, [CLIENT_CAPABILITIES]: declared(server), [LOG_LEVEL]: logLevel };
    const params = {
      ...given,
      _meta: clientMeta(meta),
      // the SDK has taken them out
      ...(mcpReq.inputResponses === undefined ? {} : { inputResponses: mcpReq.inputResponses }),
      ...(state === undefined ? {} : { requestState: state }),
    };
    const notify = (name: string, told: Record<string, unknown>): boolean => {
      if (name === 'notifications/progress') progress?.(told);
      else if (name === 'notifications/message') send(from, name, told, log);
      return REQUEST_NOTIFICATIONS.has(name);
    };
    const asking = callerNow(caller);
    const context: FrontContext = { principal: asking.principal, caller: asking, signal: mcpReq.signal, notify };
    const request = { front, method, params, context };
    try {
      if (method === 'tools/call' && session === undefined) return await tasks.call(request);
      if (method === 'resources/read') return await read(request);
      return await front.request(method, params, context);
    } catch (thrown) {
      throw protocolError(toTabmeshError(thrown));
    }
  };

  for (const [capability, methods] of Object.entries(METHODS)) {
    if (capabilities[capability as keyof typeof METHODS] === undefined) continue;
    for (const method of methods) {
      if (only !== undefined && method !== only) continue;
      // its results are typed by method; ours come from the front as they are
      server.setRequestHandler(method, ({ params }, context) => serve(method, params, context) as never);
    }
  }
  if (capabilities.tools !== undefined && (only === undefined || only === 'tools/call')) {
    server.setRequestHandler('tools/call', async ({ params }, context) => {
      const result = (await serve('tools/call', params, context)) as never;
      return server.projectCallToolResult(result, front.tool(params.name)?.outputSchema);
    });
  }
  if (session === undefined) {
    if (capabilities.extensions !== undefined && only?.startsWith('tasks/') !== false) tasksOf(server, tasks, caller);
    return mcp;
  }
  if (capabilities.logging !== undefined) {
    server.setRequestHandler('logging/setLevel', ({ params }) => {
      logLevel = params.level;
      return {};
    });
  }
  if (capabilities.resources?.subscribe === true) {
    server.setRequestHandler('resources/subscribe', ({ params }) => {
      try {
        // this session may have begun with a token that was good for more
        callerNow(caller).checkRead();
      } catch (thrown) {
        throw protocolError(toTabmeshError(thrown));
      }
      session.subscribe(params.uri);
      return {};
    });
    server.setRequestHandler('resources/unsubscribe', ({ params }) => {
      session.unsubscribe(params.uri);
      return {};
    });
  }
  return mcp;
}

/** What a client of the older wire has said when its session began. */
function declared(server: McpServer['server']): McpObject {
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- its replacement is there on the newer wire only
  return { ...server.getClientCapabilities() };
}

/** Who asks now: a session is made by the first token of its holder, and a later one may be wider, narrower or longer good. */
function callerNow(first: Caller): Caller {
  const now = currentRequest()?.caller;
  return now?.holder.id === first.holder.id ? now : first;
}

/** What a token gets to read is in the audit log, as what it calls is; a call is put there by the front. */
async function read({ front, method, params, context }: ToolCall & { readonly method: string }): Promise<McpObject> {
  const { caller } = context;
  if (caller === null) return await front.request(method, params, context);
  return await caller.around(
    { tool: method, args: { uri: params['uri'] } },
    () => front.request(method, params, context),
    () => ({ outcome: 'ok', place: null }),
  );
}

/** Whether a token is for more than certain tools. */
function mayRead(caller: Caller): boolean {
  try {
    caller.checkRead();
    return true;
  } catch (error) {
    if (error instanceof TabmeshError) return false;
    throw error;
  }
}

/** Of what the front can do, what we pass on; and the tasks, which are ours. The older wire has another kind of tasks. */
function shownCapabilities(theirs: McpObject, older: boolean, readable: boolean): ServerCapabilities {
  const shown: Record<string, unknown> = {};
  for (const name of ['tools', 'logging', ...(readable ? ['resources', 'prompts', 'completions'] : [])]) {
    if (theirs[name] !== undefined) shown[name] = theirs[name];
  }
  if (!older && shown['tools'] !== undefined) shown['extensions'] = { 'io.modelcontextprotocol/tasks': {} };
  return shown;
}

function send({ mcpReq }: ServerContext, method: string, params: Record<string, unknown>, log: Log): void {
  const { _meta, ...told } = params;
  mcpReq.notify({ method, params: { ...told, _meta: clientMeta(_meta) } }).catch((error: unknown) => {
    // the client is gone; the call itself learns that from its signal
    log.debug('notification not delivered', { method, error: String(error) });
  });
}
