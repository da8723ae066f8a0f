import { Pool } from 'undici';

/** One way of asking for the same thing. */
export interface Ways {
  /** @returns the text that came back. @throws when the answer is none */
  readonly echo: (text: string) => Promise<string>;
  close(): Promise<void>;
}

const REVISION = '2026-07-28';
const OLDER_REVISION = '2025-11-25';

/** As many connections as calls in flight, so that none waits for another. */
const CONNECTIONS = 256;

interface Target {
  readonly url: string;
  readonly token?: string;
  /** where it is to run; anywhere when absent */
  readonly place?: string;
}

/** `tools/call` on the stateless wire of MCP. */
export function statelessMcp({ url, token, place }: Target): Ways {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: CONNECTIONS });
  let id = 0;
  return {
    async echo(text) {
      const args = place === undefined ? { text } : { text, place };
      const body = JSON.stringify({
        jsonrpc: '2.0',
        id: ++id,
        method: 'tools/call',
        params: {
          name: 'echo',
          arguments: args,
          _meta: {
            'io.modelcontextprotocol/protocolVersion': REVISION,
            'io.modelcontextprotocol/clientCapabilities': {},
          },
        },
      });
      const headers = { 'mcp-protocol-version': REVISION, 'mcp-method': 'tools/call', 'mcp-name': 'echo' };
      return readMcp(await post(pool, pathname, body, headers, token));
    },
    close: () => pool.close(),
  };
}

/** The same on the older wire, in one session: what other gateways speak. */
export async function sessionMcp({ url, token, place }: Target): Promise<Ways> {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: CONNECTIONS });
  const rpc = (message: object) => JSON.stringify({ jsonrpc: '2.0', ...message });
  const begun = await pool.request({
    path: pathname,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: rpc({
      id: 0,
      method: 'initialize',
      params: { protocolVersion: OLDER_REVISION, capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
    }),
  });
  await begun.body.text();
  const headers = { 'mcp-session-id': String(begun.headers['mcp-session-id']), 'mcp-protocol-version': OLDER_REVISION };
  await post(pool, pathname, rpc({ method: 'notifications/initialized' }), headers, token);
  let id = 0;
  return {
    echo: async (text) =>
      readMcp(
        await post(
          pool,
          pathname,
          rpc({
            id: ++id,
            method: 'tools/call',
            params: { name: 'echo', arguments: place === undefined ? { text } : { text, place } },
          }),
          headers,
          token,
        ),
      ),
    close: () => pool.close(),
  };
}

/** The same tool as a plain HTTP call. */
export function rest({ url, token, place }: Target): Ways {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: CONNECTIONS });
  const path = `${pathname}/echo${place === undefined ? '' : `?place=${place}`}`;
  return {
    async echo(text) {
      const answer = JSON.parse(
        await post(pool, path, JSON.stringify({ text }), { accept: 'application/json' }, token),
      ) as {
        readonly result: { readonly text: string };
      };
      return answer.result.text;
    },
    close: () => pool.close(),
  };
}

async function post(pool: Pool, path: string, body: string, headers: Record<string, string>, token?: string) {
  const answer = await pool.request({
    path,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body,
  });
  const text = await answer.body.text();
  if (answer.statusCode >= 300) throw new Error(`status ${answer.statusCode}: ${text.slice(0, 300)}`);
  return text;
}

/** The answer is JSON, or the last event of a stream. */
function readMcp(text: string): string {
  const json = text.startsWith('{')
    ? text
    : (/^data: (.*)$/m.exec(text.slice(text.lastIndexOf('data: ')))?.[1] ?? 'null');
  const answer = JSON.parse(json) as {
    readonly result?: { readonly structuredContent?: { readonly text?: string }; readonly isError?: boolean };
  } | null;
  const echoed = answer?.result?.structuredContent?.text;
  if (echoed === undefined) throw new Error(`no answer: ${text.slice(0, 300)}`);
  return echoed;
}
