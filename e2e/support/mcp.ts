import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

/** How a call ended, as far as tests look at it. */
export interface McpResult {
  readonly isError: boolean;
  readonly data: Readonly<Record<string, unknown>>;
  /** which place ran it */
  readonly route: { readonly kind: string; readonly peer: string; readonly name: string } | undefined;
  readonly error: { readonly code: string; readonly message: string; readonly hint: string | null } | undefined;
  /** what it said on the way */
  readonly progress: readonly string[];
}

/** An MCP client of the 1.x SDK over Streamable HTTP. */
export interface McpClient {
  tools(): Promise<readonly string[]>;
  call(tool: string, args: Record<string, unknown>): Promise<McpResult>;
  close(): Promise<void>;
}

/**
 * Connects a client.
 * @param url of the relay's endpoint
 * @throws when it is refused, with the HTTP status as `code`
 */
export async function connectMcp(url: string, token: string | null): Promise<McpClient> {
  const client = new Client({ name: 'tabmesh-e2e', version: '1' });
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } });
  await client.connect(transport);
  return {
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    async call(tool, args) {
      const progress: string[] = [];
      const result = await client.callTool({ name: tool, arguments: args }, undefined, {
        onprogress: ({ message }) => progress.push(message ?? ''),
      });
      const meta = result._meta ?? {};
      return {
        isError: result.isError === true,
        data: (result.structuredContent ?? {}) as McpResult['data'],
        route: meta['tabmesh/route'] as McpResult['route'],
        error: meta['tabmesh/error'] as McpResult['error'],
        progress,
      };
    },
    close: () => client.close(),
  };
}
