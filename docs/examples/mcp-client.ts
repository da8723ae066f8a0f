// node docs/examples/mcp-client.ts MCP-URL TOKEN [WORDS…]: searches a room from a program, as any MCP client does.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const [url = '', token = '', ...words] = process.argv.slice(2);
const requestInit = { headers: { authorization: `Bearer ${token}` } };
const client = new Client({ name: 'example', version: '1.0.0' });
await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
const query = words.join(' ') || 'sleep';
const { structuredContent } = await client.callTool({ name: 'search_index', arguments: { query, top_k: 5 } });
console.log(JSON.stringify(structuredContent, null, 2));
await client.close();
