import type { Principal } from './tools.ts';

/** Parameters or result of an MCP request: a JSON object. */
export type McpObject = Readonly<Record<string, unknown>>;

/** What an MCP server says of itself: `server/discover` without the revisions, which the wire adds. */
export interface McpServing {
  readonly serverInfo: { readonly name: string; readonly version: string; readonly title?: string };
  readonly capabilities: McpObject;
  readonly instructions?: string;
}

/** Beside every request of MCP. */
export interface McpRequestContext {
  /** attached by the hop that authenticated the caller */
  readonly principal: Principal;
  readonly signal: AbortSignal;
  /**
   * Tells the caller something that belongs to this request: progress, a log message, a change of what it listens to. Every
   * hop puts its own progress token or subscription id into it.
   * @returns false when it was left out, because the caller reads too slowly
   */
  readonly notify: (method: string, params: Record<string, unknown>) => boolean;
}

/**
 * What answers MCP: a peer's tools, resources and prompts, those of a whole room, or those of a peer somewhere else. The
 * revision is 2026-07-28, stateless; the older wire is translated where it comes in. A request that needs an answer of the
 * client's own (elicitation, sampling, roots) answers `input_required` and is asked again with `inputResponses`.
 */
export interface McpProvider {
  discover(): McpServing;
  /**
   * @param params with `_meta` as the client sent it
   * @throws TabmeshError; `details.rpcCode` and `details.rpcData` are the code and data of the JSON-RPC error, where it
   *   matters which. `unsupported` for a method that it has not
   */
  request(method: string, params: McpObject, context: McpRequestContext): Promise<McpObject>;
}

/** What `subscriptions/listen` asks for. */
export interface McpListenFilter {
  readonly toolsListChanged?: boolean;
  readonly promptsListChanged?: boolean;
  readonly resourcesListChanged?: boolean;
  readonly resourceSubscriptions?: readonly string[];
}
