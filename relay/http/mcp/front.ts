import type { McpObject, McpRequestContext, McpServing } from '../../../src/contracts/mcp.ts';
import type { Caller } from '../auth.ts';

/** A tool as `tools/list` shows it. */
export interface ShownTool {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly inputSchema: Readonly<Record<string, unknown>>;
  readonly outputSchema?: Readonly<Record<string, unknown>>;
  readonly annotations?: Readonly<Record<string, unknown>>;
  readonly _meta?: Readonly<Record<string, unknown>>;
}

export interface FrontContext extends McpRequestContext {
  /** null when it is the endpoint itself that asks, to know what to tell its clients */
  readonly caller: Caller | null;
}

/** What one address of the endpoint shows: the room, or one peer of it. Shared by all who use the address. */
export interface Front {
  discover(): McpServing;
  /** @throws as `McpProvider.request` */
  request(method: string, params: McpObject, context: FrontContext): Promise<McpObject>;
  /** Has ready what {@link discover} and {@link tool} answer. @throws `peer_unreachable` */
  prepare(signal: AbortSignal): Promise<void>;
  /** a tool that it offers, as far as it is known now */
  tool(name: string): ShownTool | undefined;
  /** after the definitions of tools may have changed */
  toolsChanged(): void;
  close(): void;
}
