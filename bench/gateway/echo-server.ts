/**
 * The official SDK's server alone, with one tool: what a gateway is compared with. `node bench/gateway/echo-server.ts` prints its
 * URL and serves HTTP; with `--stdio` it is the server behind another gateway.
 */
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as z from 'zod';

const input = z.object({ text: z.string() });
const output = z.object({ text: z.string() });

/** One server a request, as the SDK's handler wants it. */
function makeServer(): McpServer {
  const server = new McpServer({ name: 'echo', version: '1.0.0' });
  server.registerTool(
    'echo',
    { description: 'Returns the text.', inputSchema: input, outputSchema: output },
    ({ text }) => ({
      content: [{ type: 'text', text: JSON.stringify({ text }) }],
      structuredContent: { text },
    }),
  );
  return server;
}

if (process.argv.includes('--stdio')) {
  serveStdio(makeServer);
} else {
  const handler = toNodeHandler(createMcpHandler(makeServer));
  const server = createServer((request, response) => {
    // Node types optional fields as `| undefined`, the SDK's structural type does not
    void handler(request as Parameters<typeof handler>[0], response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
}
