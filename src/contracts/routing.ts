import type { PeerId } from '../lib/ids.ts';
import type { CallMetrics, HealthResult } from './tool-metrics.ts';
import type { CallRequest, RoutePlan } from './tools.ts';

/** A circuit breaker that is not closed: a tool at a place that failed several times in a row. */
export interface BreakerInfo {
  readonly peer: PeerId;
  readonly tool: string;
  readonly state: 'open' | 'half-open';
  readonly failures: number;
  /** ms until it is tried again; 0 when half-open */
  readonly retryAfterMs: number;
}

/** What the router has done besides choosing places. */
export interface RouterCounts {
  /** calls under way */
  readonly running: number;
  readonly cachedAnswers: number;
  readonly cacheHits: number;
  readonly cacheMisses: number;
  /** calls that waited for the answer of one alike */
  readonly shared: number;
  readonly hedged: number;
  readonly retried: number;
}

/** What the registry of a peer holds. */
export interface RegistryStatistics {
  readonly total: number;
  /** always all three */
  readonly byRuntime: Readonly<Record<'mesh' | 'relay' | 'auto', number>>;
  readonly byCategory: Readonly<Record<string, number>>;
  readonly p2pTools: number;
  readonly categories: number;
}

/** How a peer itself has been, sampled every few seconds. */
export interface PeerCondition {
  /** that it is linked to; null before the first sample */
  readonly members: number | null;
  /** share of its time that was busy, 0 to 1; null when it cannot tell */
  readonly load: number | null;
  /** of the last thousand samples; 0 before the first */
  readonly loadP50: number;
  readonly loadP95: number;
}

/** How calls went at this peer. */
export interface ToolMetricsReport {
  /** calls that were made here, booked under the place where they ran */
  readonly made: CallMetrics;
  /** calls that ran here, whoever made them */
  readonly served: CallMetrics;
  readonly router: RouterCounts;
  readonly registry: RegistryStatistics;
  readonly breakers: readonly BreakerInfo[];
  /** requests of other peers by method */
  readonly messages: Readonly<Record<string, number>>;
  readonly health: readonly HealthResult[];
  readonly condition: PeerCondition;
}

/** The router of this peer, as its tools see it. */
export interface RoutingPort {
  /** Plans a call as if it were made here now, and runs nothing. @throws `unknown_tool` */
  explain(request: CallRequest): Promise<RoutePlan>;
  report(signal: AbortSignal): Promise<ToolMetricsReport>;
  /** Closes circuit breakers; those of all places and tools when neither is given. @returns how many were not closed */
  resetBreakers(peer: PeerId | null, tool: string | null): Promise<number>;
}
