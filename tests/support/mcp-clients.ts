import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client as OlderClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OlderTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema, ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';

type Fields = Record<string, unknown>;

/** What a test does with a client of either SDK. */
export interface TestClient {
  readonly revision: string | undefined;
  tools(): Promise<readonly { readonly name: string; readonly description?: string | undefined }[]>;
  /** a page, and the cursor of the next */
  toolsPage(cursor?: string): Promise<{ names: string[]; nextCursor: string | undefined }>;
  call(
    name: string,
    args: Fields,
    options?: { signal?: AbortSignal; onprogress?: (p: unknown) => void },
  ): Promise<Fields>;
  resources(): Promise<readonly { readonly uri: string; readonly name: string }[]>;
  templates(): Promise<readonly string[]>;
  /** the JSON of a resource */
  read(uri: string): Promise<Fields>;
  prompts(): Promise<readonly string[]>;
  prompt(name: string, args: Record<string, string>): Promise<string>;
  complete(
    ref: { prompt: string } | { template: string },
    argument: { name: string; value: string },
  ): Promise<readonly string[]>;
  /** has every later change of this resource told. @returns when the endpoint has taken it */
  watch(uri: string, onUpdated: (uri: string) => void): Promise<void>;
  close(): Promise<void>;
}

export interface ClientOptions {
  readonly token: string;
  /** answers elicitations; without it the client declares none */
  readonly answer?: (message: string) => { action: 'accept' | 'decline'; content?: Record<string, boolean> };
}

const INFO = { name: 'test', version: '1' };

/** SDK 1.x: sessions, the wire of 2025-11-25. */
export async function olderClient(url: string, { token, answer }: ClientOptions): Promise<TestClient> {
  const client = new OlderClient(INFO, { capabilities: answer === undefined ? {} : { elicitation: {} } });
  if (answer !== undefined) {
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => Promise.resolve({ ...answer(params.message) }));
  }
  const transport = new OlderTransport(new URL(url), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  });
  await client.connect(transport);
  return {
    ...common(client as unknown as CommonClient),
    revision: transport.protocolVersion,
    call: async (name, args, options) => await client.callTool({ name, arguments: args }, undefined, options),
    async watch(uri, onUpdated) {
      client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => {
        onUpdated(params.uri);
      });
      await client.subscribeResource({ uri });
    },
  };
}

/** SDK 2.x on the stateless wire of 2026-07-28. */
export async function modernClient(url: string, { token, answer }: ClientOptions): Promise<TestClient> {
  const client = new ModernClient(INFO, {
    versionNegotiation: { mode: 'auto' },
    capabilities: answer === undefined ? {} : { elicitation: { form: {} } },
  });
  if (answer !== undefined) {
    client.setRequestHandler('elicitation/create', ({ params }) => Promise.resolve({ ...answer(params.message) }));
  }
  const transport = new ModernTransport(new URL(url), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  });
  await client.connect(transport);
  return {
    ...common(client as unknown as CommonClient),
    revision: client.getNegotiatedProtocolVersion(),
    call: async (name, args, options) => await client.callTool({ name, arguments: args }, options),
    async watch(uri, onUpdated) {
      client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
        onUpdated(params.uri);
      });
      await client.listen({ resourceSubscriptions: [uri] });
    },
  };
}

/** What both SDKs name alike. */
interface CommonClient {
  listTools(params?: {
    cursor?: string;
  }): Promise<{ tools: { name: string; description?: string }[]; nextCursor?: string }>;
  listResources(): Promise<{ resources: { uri: string; name: string }[] }>;
  listResourceTemplates(): Promise<{ resourceTemplates: { uriTemplate: string }[] }>;
  readResource(params: { uri: string }): Promise<{ contents: { text?: string }[] }>;
  listPrompts(): Promise<{ prompts: { name: string }[] }>;
  getPrompt(params: { name: string; arguments: Record<string, string> }): Promise<{
    messages: { content: { text?: string } }[];
  }>;
  complete(params: { ref: Fields; argument: { name: string; value: string } }): Promise<{
    completion: { values: string[] };
  }>;
  close(): Promise<void>;
}

function common(client: CommonClient): Omit<TestClient, 'revision' | 'call' | 'watch'> {
  return {
    tools: async () => (await client.listTools()).tools,
    async toolsPage(cursor) {
      const { tools, nextCursor } = await client.listTools(cursor === undefined ? {} : { cursor });
      return { names: tools.map(({ name }) => name), nextCursor };
    },
    resources: async () => (await client.listResources()).resources,
    templates: async () =>
      (await client.listResourceTemplates()).resourceTemplates.map(({ uriTemplate }) => uriTemplate),
    async read(uri) {
      const { contents } = await client.readResource({ uri });
      return JSON.parse(contents[0]?.text ?? 'null') as Fields;
    },
    prompts: async () => (await client.listPrompts()).prompts.map(({ name }) => name),
    async prompt(name, args) {
      const { messages } = await client.getPrompt({ name, arguments: args });
      return messages.map(({ content }) => content.text ?? '').join('\n');
    },
    async complete(ref, argument) {
      const asked =
        'prompt' in ref ? { type: 'ref/prompt', name: ref.prompt } : { type: 'ref/resource', uri: ref.template };
      return (await client.complete({ ref: asked, argument })).completion.values;
    },
    close: () => client.close(),
  };
}

/** Both, by the name of the wire. */
export const WIRES = {
  'the older wire (SDK 1.x)': olderClient,
  'the stateless wire (SDK 2.x)': modernClient,
} as const;

const REVISION = '2026-07-28';
const TASKS = 'io.modelcontextprotocol/tasks';

/** One request on the stateless wire, written by hand. @returns status and JSON-RPC answer */
export async function ask(
  url: string,
  token: string,
  method: string,
  params: Fields,
  { tasks = false, signal }: { tasks?: boolean; signal?: AbortSignal } = {},
): Promise<{ status: number; result?: Fields; error?: { code: number; message: string; data?: unknown } }> {
  const name = params['name'] ?? params['uri'] ?? params['taskId'];
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
      'mcp-protocol-version': REVISION,
      'mcp-method': method,
      ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method,
      params: {
        ...params,
        _meta: {
          'io.modelcontextprotocol/protocolVersion': REVISION,
          'io.modelcontextprotocol/clientCapabilities': tasks ? { extensions: { [TASKS]: {} } } : {},
        },
      },
    }),
    ...(signal === undefined ? {} : { signal }),
  });
  return { status: response.status, ...((await response.json()) as Fields) };
}
