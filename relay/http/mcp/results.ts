import type { CallToolResult } from '@modelcontextprotocol/server';
import type { CallResult, RouteExplanation } from '../../../src/contracts/tools.ts';
import type { WireError } from '../../../src/lib/errors.ts';
import { isObject, META } from '../../../src/mesh/rpc/mcp-wire.ts';

/** On a result: which place of the room ran the call, and why. */
export const ROUTE_META = 'tabmesh/route';

/** The MCP form of how a call ended: data and text of it, or a failure that a model and a program can both read. */
export function toCallToolResult(outcome: CallResult): CallToolResult {
  const _meta = routeMeta(outcome.route);
  if (!outcome.ok) {
    return {
      isError: true,
      content: [{ type: 'text', text: errorText(outcome.error) }],
      _meta: { ..._meta, [META.error]: outcome.error },
    };
  }
  const { value } = outcome;
  return {
    content: [{ type: 'text', text: typeof value === 'string' ? value : JSON.stringify(value) }],
    ...(isObject(value) ? { structuredContent: value } : {}),
    _meta,
  };
}

/** What went wrong, then what to do about it. */
function errorText({ code, message, hint }: WireError): string {
  return hint === null ? `${message} (${code})` : `${message} (${code})\n${hint}`;
}

function routeMeta(route: RouteExplanation | null): Record<string, unknown> {
  if (route === null) return {};
  const { why, answeredFrom, warnings } = route;
  const { kind, peer, device, name } = route.chosen;
  const chosen = route.candidates.find(({ place }) => place.peer === peer);
  return {
    [ROUTE_META]: { kind, peer, device, name, reasons: chosen?.reasons ?? [], why, answeredFrom, warnings },
  };
}
