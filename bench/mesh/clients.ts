import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Pool } from 'undici';
import type { BenchRelay } from './relay.ts';
import { MANY } from './measure.ts';

/** Calls `echo` at a relay's `/mcp`. */
export interface McpCaller {
  call(text: string): Promise<unknown>;
  close(): Promise<void>;
}

/** The SDK's client on the stateless wire. Node's fetch keeps its connections alive. */
export async function sdkCaller({ mcp, token }: BenchRelay): Promise<McpCaller> {
  const client = new Client({ name: 'bench', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(mcp), { requestInit: { headers: { authorization: `Bearer ${token}` } } }),
  );
  return {
    async call(text) {
      const result = await client.callTool({ name: 'echo', arguments: { text } });
      if (result.isError === true) throw new Error(JSON.stringify(result.content));
      return result._meta?.['tabmesh/route'];
    },
    close: () => client.close(),
  };
}

/** One POST a call, with nothing of an MCP client around it. */
export function plainCaller({ mcp, token }: BenchRelay): McpCaller {
  const { origin, pathname } = new URL(mcp);
  const pool = new Pool(origin, { connections: MANY });
  let id = 0;
  return {
    async call(text) {
      const { statusCode, body } = await pool.request({
        method: 'POST',
        path: pathname,
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-protocol-version': REVISION,
          'mcp-method': 'tools/call',
          'mcp-name': 'echo',
        },
        body: JSON.stringify({
          jsonrpc: '2.0',
          id: (id += 1),
          method: 'tools/call',
          params: {
            name: 'echo',
            arguments: { text },
            _meta: {
              'io.modelcontextprotocol/protocolVersion': REVISION,
              'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
              'io.modelcontextprotocol/clientCapabilities': {},
            },
          },
        }),
      });
      const answer = await body.text();
      if (statusCode !== 200 || answer.includes('"isError":true') || !answer.includes(text.slice(0, 8))) {
        throw new Error(`HTTP ${statusCode}: ${answer}`);
      }
      return answer;
    },
    close: () => pool.close(),
  };
}

const REVISION = '2026-07-28';
