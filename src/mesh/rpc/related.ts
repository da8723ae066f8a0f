import { isObject, META } from './mcp-wire.ts';

/** MCP 2026-07-28: on what is told on a `subscriptions/listen`, the id of that request. */
const SUBSCRIPTION_KEY = 'io.modelcontextprotocol/subscriptionId';

/** The request of ours that a notification belongs to: its id, which on a shared stream is its progress token as well. */
export function relatedRequest(params: Readonly<Record<string, unknown>>): unknown {
  const meta = params['_meta'];
  return isObject(meta) ? (meta[META.related] ?? meta[SUBSCRIPTION_KEY]) : undefined;
}
