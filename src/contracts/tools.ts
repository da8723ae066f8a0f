import type { DeviceId, PeerId } from '../lib/ids.ts';
import type { WireError } from '../lib/errors.ts';

/** Where a tool may run: `mesh` on any peer, `relay` on a relay's peer only, `auto` lets scores decide. */
export type Runtime = 'mesh' | 'relay' | 'auto';
export type AccessClass = 'read' | 'compute' | 'write' | 'admin';

/** How long to wait before a call that may be begun again is begun again; `none`: it goes to the next place, and no further. */
export type RetryPolicy = 'none' | 'fixed' | 'linear' | 'exponential';

export const RUNTIMES: readonly Runtime[] = ['mesh', 'relay', 'auto'];
export const RETRY_POLICIES: readonly RetryPolicy[] = ['none', 'fixed', 'linear', 'exponential'];
/** Names that the Python original gives to runtimes; read, never written. */
export const RUNTIME_ALIASES: Readonly<Record<string, Runtime | undefined>> = { trio: 'mesh', fastapi: 'relay' };
const DEFAULT_PRIORITY = 5;
export const HIGHEST_PRIORITY = 10;
export const DEFAULT_CATEGORY = 'general';
const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_SCHEMA_VERSION = '1.0';
/** An answer that is given again for longer than this is not an answer but a copy, ms. */
export const MAX_CACHE_TTL_MS = 3_600_000;

/**
 * What a token is good for, as its relay signs it into the principal. The relay refuses what lies outside before anything
 * leaves it; the place that serves the call decides again, by this and by what its own owner allows.
 */
export interface TokenScope {
  readonly classes: readonly AccessClass[];
  /** names of the only tools that it may call; null: every tool of its classes */
  readonly tools: readonly string[] | null;
  /** ms since the epoch, after which it is refused everywhere; null: until it is revoked */
  readonly expiresAt: number | null;
}

/** On whose behalf a call is made; attached by the hop that authenticated the caller, never taken from arguments. */
export type Principal =
  | {
      readonly kind: 'device';
      readonly device: DeviceId;
      readonly peer: PeerId;
      readonly via?: readonly Presenter[];
      readonly proof?: string;
    }
  | {
      readonly kind: 'token';
      readonly tokenId: string;
      readonly name: string;
      readonly relay: PeerId;
      /** the member's device that the token was made for; absent when the relay's owner made it */
      readonly maker?: DeviceId;
      /** `DEFAULT_CLASSES` of every tool when absent: a relay of before tokens had one */
      readonly scope?: TokenScope;
      /** the relay's device, whose key vouches for the token; absent within the relay's own process */
      readonly issuer?: DeviceId;
      readonly via?: readonly Presenter[];
      readonly proof?: string;
    };

/**
 * Who called on somebody's behalf, in the order of the hops: absent when the caller called this place itself. A call made
 * through others may do what its principal and each of these may. `proof` is the signed form, for the next hop.
 */
export interface Presenter {
  readonly device: DeviceId;
}

/** What a caller shows besides who it is. None of it is authority by itself: it is checked against the principal. */
export interface CallCredentials {
  /** the handle of an `approval_pending` error: this is the call that it was about */
  readonly approval?: string;
  /** delegation tokens, root first or in any order; see `contracts/grants.ts` */
  readonly grants?: readonly unknown[];
}

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
  /** it works with other peers: pinned to a relay it would miss the tabs */
  readonly requiresP2p: boolean;
  readonly retry: RetryPolicy;
  /** hints for the choice of a place: keeps much in memory */
  readonly memoryIntensive: boolean;
  /** computes much */
  readonly cpuIntensive: boolean;
  /** moves much data */
  readonly ioIntensive: boolean;
  /** how long the same answer may be given again to the same principal, ms; null: never */
  readonly cacheTtlMs: number | null;
  /** why it should not be called any more, and what to call instead; null: it is not deprecated */
  readonly deprecation: string | null;
  /** a principal's calls to tools of one group go to the same place, which keeps their state; null: it keeps none */
  readonly sticky: string | null;
  /** it speaks of the peer that is asked, so it runs there unless the call names another place */
  readonly local: boolean;
}

/** What a tool that says nothing more of itself is. */
export const METADATA_DEFAULTS = {
  priority: DEFAULT_PRIORITY,
  timeoutMs: DEFAULT_TIMEOUT_MS,
  schemaVersion: DEFAULT_SCHEMA_VERSION,
  requiresP2p: false,
  retry: 'none',
  memoryIntensive: false,
  cpuIntensive: false,
  ioIntensive: false,
  cacheTtlMs: null,
  deprecation: null,
  sticky: null,
  local: false,
} as const satisfies Partial<ToolMetadata>;

export interface ToolProgress {
  readonly progress: number;
  readonly total: number | null;
  readonly message: string | null;
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
  /** why this one of the candidates, in words */
  readonly why?: string;
  /** `cache`: an earlier answer was given again; `shared`: a call alike was under way, and its answer served both */
  readonly answeredFrom?: 'cache' | 'shared';
  /** what the caller should know of the tool, e.g. that it is deprecated */
  readonly warnings?: readonly string[];
}

/** Where a call would run now; `chosen` is null when it could run nowhere. */
export type RoutePlan = Omit<RouteExplanation, 'chosen'> & { readonly chosen: Place | null };

export interface CallRequest {
  readonly tool: string;
  readonly args: unknown;
  readonly principal: Principal;
  readonly credentials?: CallCredentials;
  /** run it there and nowhere else */
  readonly place?: PeerId;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (p: ToolProgress) => void;
  /** milliseconds from now; the tool's own timeout when absent */
  readonly timeoutMs?: number;
  /** W3C `traceparent` of the hop before; a call without one belongs to no trace */
  readonly traceparent?: string;
  /** Told of each try of the call at a place, for who looks on; what it returns is told how the try ended. */
  readonly onTry?: (place: Place, hedge: boolean) => (error: WireError | null) => void;
  /**
   * Other peers that define the tool otherwise do not count. What comes of it is kept by the function, so it is the same
   * one for the same definitions; all count when absent, and always this peer itself.
   */
  readonly accepts?: (metadata: ToolMetadata) => boolean;
}

export type CallResult =
  | { readonly ok: true; readonly value: unknown; readonly route: RouteExplanation; readonly tookMs: number }
  | { readonly ok: false; readonly error: WireError; readonly route: RouteExplanation | null; readonly tookMs: number };

/** A tool of the room and the places that offer it now. */
export interface RoomTool {
  readonly metadata: ToolMetadata;
  readonly places: readonly Place[];
  /** how each peer defines it, in any version; absent where this peer registers the tool itself */
  readonly offers?: readonly { readonly place: Place; readonly metadata: ToolMetadata }[];
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
