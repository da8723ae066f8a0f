import type { ToolMetadata } from './tools.ts';

/** What a client is told of a tool, and acts on. */
export type ToolDefinition = Pick<
  ToolMetadata,
  'name' | 'description' | 'inputSchema' | 'outputSchema' | 'annotations'
>;

/** A tool of another peer whose definition was pinned when it was first seen, or accepted since. */
export interface PinnedDefinition {
  readonly tool: string;
  /** SHA-256 of the canonical JSON, hexadecimal */
  readonly hash: string;
  /** null where only its hash was kept: it is too large, or of before definitions were kept */
  readonly definition: ToolDefinition | null;
}

/** A tool of another peer whose definition is not the one that was pinned: neither listed nor called until it is accepted. */
export interface QuarantinedDefinition {
  readonly tool: string;
  /** who offers it so now */
  readonly peers: readonly { readonly peer: string; readonly name: string }[];
  /** SHA-256 of the canonical JSON, hexadecimal: of the definition that was accepted, and of this one */
  readonly pinned: string;
  readonly offered: string;
  readonly definition: ToolDefinition;
  /** what was accepted; null as for {@link PinnedDefinition} */
  readonly accepted: ToolDefinition | null;
  /** somebody has looked at it, and said no */
  readonly refused: boolean;
}

/** Answer of `GET /api/tool-definitions`. */
export interface ToolDefinitions {
  readonly pinned: readonly PinnedDefinition[];
  readonly quarantined: readonly QuarantinedDefinition[];
}
