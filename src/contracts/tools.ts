import type { DeviceId, PeerId } from '../lib/ids.ts';
import type { WireError } from '../lib/errors.ts';
import type { Ports } from './ports.ts';

/** Where a tool may run: `mesh` on any peer, `relay` on a relay's peer only, `auto` lets scores decide. */
export type Runtime = 'mesh' | 'relay' | 'auto';
export type AccessClass = 'read' | 'compute' | 'write' | 'admin';

/** On whose behalf a call is made; attached by the hop that authenticated the caller, never taken from arguments. */
export type Principal =
  | { readonly kind: 'device'; readonly device: DeviceId; readonly peer: PeerId }
  | { readonly kind: 'token'; readonly tokenId: string; readonly name: string; readonly relay: PeerId };

/** Token of the person who runs a relay: the one id that no made token has. */
export const OWNER_TOKEN_ID = 'owner';

export interface ToolAnnotations {
  readonly title: string;
  readonly readOnlyHint: boolean;
  readonly destructiveHint: boolean;
  readonly idempotentHint: boolean;
  readonly openWorldHint: boolean;
}

/** What everybody may know of a tool; the schemas are JSON Schema 2020-12. */
export interface ToolMetadata {
  readonly name: string;
  readonly category: string;
  readonly description: string;
  readonly runtime: Runtime;
  readonly access: AccessClass;
  readonly annotations: ToolAnnotations;
  readonly inputSchema: Readonly<Record<string, unknown>>;
  readonly outputSchema: Readonly<Record<string, unknown>>;
  /** 0–10, higher is sooner */
  readonly priority: number;
  /** deadline of a call, milliseconds */
  readonly timeoutMs: number;
  readonly schemaVersion: string;
}

export interface ToolProgress {
  readonly progress: number;
  readonly total: number | null;
  readonly message: string | null;
}

export interface ToolContext {
  readonly ports: Ports;
  readonly principal: Principal;
  readonly signal: AbortSignal;
  readonly progress: (p: ToolProgress) => void;
}

/** A place where a call can run. `self` is this peer (for a tab: its workers). */
export interface Place {
  readonly kind: 'self' | 'peer' | 'relay';
  readonly peer: PeerId;
  readonly device: DeviceId;
  readonly name: string;
}

/** Why a call ran where it ran. */
export interface RouteExplanation {
  readonly tool: string;
  readonly runtime: Runtime;
  readonly chosen: Place;
  /** every place that was looked at, best first */
  readonly candidates: readonly {
    readonly place: Place;
    readonly score: number;
    /** one readable reason per part of the score, e.g. "direct link", "12 ms", "tab is hidden" */
    readonly reasons: readonly string[];
    readonly excluded: string | null;
  }[];
}

export interface CallRequest {
  readonly tool: string;
  readonly args: unknown;
  readonly principal: Principal;
  /** run it there and nowhere else */
  readonly place?: PeerId;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (p: ToolProgress) => void;
  /** milliseconds from now; the tool's own timeout when absent */
  readonly timeoutMs?: number;
}

export type CallResult =
  | { readonly ok: true; readonly value: unknown; readonly route: RouteExplanation; readonly tookMs: number }
  | { readonly ok: false; readonly error: WireError; readonly route: RouteExplanation | null; readonly tookMs: number };

/** A tool of the room and the places that offer it now. */
export interface RoomTool {
  readonly metadata: ToolMetadata;
  readonly places: readonly Place[];
}

/** The room's tools as any caller (app, MCP, REST, workflow) sees them. */
export interface RoomTools {
  list(): readonly RoomTool[];
  /** never throws for a failed call: the failure is in the result */
  call(request: CallRequest, options?: CallOptions): Promise<CallResult>;
  /** called after the set of tools or their places changed; returns the unsubscribe function */
  subscribe(listener: () => void): () => void;
}

/** How many calls this peer itself has served, by tool; what "that tab's counter" shows. */
export interface CallCounters {
  served(): Readonly<Record<string, number>>;
  subscribe(listener: () => void): () => void;
}
