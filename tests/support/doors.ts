import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { isWireError, type WireError } from '../../src/lib/errors.ts';
import { META } from '../../src/mesh/rpc/mcp-wire.ts';
import type { HeadlessRoom } from '../../src/peer/node/start-room.ts';
import type { LiveRelay } from './live-relay.ts';

/** What a caller learns of a failed call, whichever door it came through. */
export type Refusal = Pick<WireError, 'code' | 'message' | 'hint' | 'retryable' | 'details'>;

/** One way to call the tools of a room. @throws when the call succeeds */
export type Door = (tool: string, args: unknown) => Promise<Refusal>;

/** Every way there is. */
export interface Doors {
  /** by the same router and principal as the app of a member */
  readonly app: Door;
  readonly 'older MCP': Door;
  readonly 'MCP 2026-07-28': Door;
  readonly REST: Door;
  close(): Promise<void>;
}

/** Calls may run as long as a dead upstream's time limits. */
const CLIENT_TIMEOUT_MS = 60_000;

/**
 * Opens every door of a room.
 * @param member a peer of the room
 */
export async function openDoors(live: LiveRelay, member: Pick<HeadlessRoom, 'room' | 'peer'>): Promise<Doors> {
  const { urls, token } = live.relay;
  const headers = { authorization: `Bearer ${token}` };
  const older = new Client({ name: 'older', version: '1' });
  await older.connect(new StreamableHTTPClientTransport(new URL(urls.mcp), { requestInit: { headers } }));
  const modern = new ModernClient({ name: 'modern', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await modern.connect(new ModernTransport(new URL(urls.mcp), { requestInit: { headers } }));

  return {
    app: async (tool, args) => {
      const { device } = member.room.replica;
      const outcome = await member.room.tools.call({
        tool,
        args,
        principal: { kind: 'device', device, peer: member.peer },
      });
      if (outcome.ok) throw new Error(`${tool} succeeded: ${JSON.stringify(outcome.value)}`);
      return outcome.error;
    },
    'older MCP': (tool, args) =>
      refusal(() =>
        older.request(
          { method: 'tools/call', params: { name: tool, arguments: args as Record<string, unknown> } },
          CallToolResultSchema,
          { timeout: CLIENT_TIMEOUT_MS },
        ),
      ),
    'MCP 2026-07-28': (tool, args) =>
      refusal(() =>
        modern.callTool({ name: tool, arguments: args as Record<string, unknown> }, { timeout: CLIENT_TIMEOUT_MS }),
      ),
    REST: async (tool, args) => {
      const response = await fetch(`${urls.rest}/${encodeURIComponent(tool)}`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(args),
      });
      const body = (await response.json()) as { error?: unknown };
      if (response.ok || !isWireError(body.error)) throw new Error(`${response.status} ${JSON.stringify(body)}`);
      return body.error;
    },
    async close() {
      await Promise.all([older.close(), modern.close()]);
    },
  };
}

/** The error inside an MCP answer: of a failed result, or the data of a protocol error. */
async function refusal(call: () => Promise<Record<string, unknown>>): Promise<Refusal> {
  let result: Record<string, unknown>;
  try {
    result = await call();
  } catch (error) {
    const data = (error as { data?: unknown }).data;
    if (isWireError(data)) return data;
    throw error;
  }
  const error = (result['_meta'] as Record<string, unknown> | undefined)?.[META.error];
  const { isError, content } = result as { isError?: boolean; content?: { text?: string }[] };
  if (isError !== true || !isWireError(error)) throw new Error(`no failure: ${JSON.stringify(result)}`);
  // a model reads the text alone: it has to have all that a person would be told
  const text = content?.[0]?.text ?? '';
  for (const part of [error.code, error.message, error.hint ?? '']) {
    if (!text.includes(part)) throw new Error(`the text lacks "${part}": ${text}`);
  }
  return error;
}
