import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Pool } from 'undici';
import { ROUTE_META } from '../../relay/http/mcp/results.ts';
import { MANY } from './measure.ts';
import type { BenchRelay } from './relay.ts';

const REVISION = '2026-07-28';

/** Who is to answer: a tab, or the relay itself. */
type PlaceKind = 'peer' | 'self';

/** Calls `echo` at a relay's `/mcp`. */
export interface McpCaller {
  /** @throws when the call fails, or was answered by another kind of place than expected */
  call(text: string): Promise<void>;
  close(): Promise<void>;
}

/** The SDK's client on the stateless wire. Node's fetch keeps its connections alive. */
export async function sdkCaller({ mcp, token }: BenchRelay, place: PlaceKind): Promise<McpCaller> {
  const client = new Client({ name: 'bench', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(mcp), { requestInit: { headers: { authorization: `Bearer ${token}` } } }),
  );
  return {
    async call(text) {
      const result = await client.callTool({ name: 'echo', arguments: { text } });
      const route = result._meta?.[ROUTE_META] as { readonly kind?: string } | undefined;
      if (result.isError === true || route?.kind !== place)
        throw new Error(`not from ${place}: ${JSON.stringify(result)}`);
    },
    close: () => client.close(),
  };
}

/** One POST a call, with nothing of an MCP client around it. */
export function plainCaller({ mcp, token }: BenchRelay, place: PlaceKind): McpCaller {
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
      // looked for as text: reading the answer as JSON is a client's work
      if (statusCode !== 200 || answer.includes('"isError":true') || !answer.includes(`"kind":"${place}"`)) {
        throw new Error(`HTTP ${statusCode}, not from ${place}: ${answer}`);
      }
    },
    close: () => pool.close(),
  };
}
