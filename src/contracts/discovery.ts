import type { TabmeshError } from '../lib/errors.ts';
import type { PeerId } from '../lib/ids.ts';
import type { Json } from './workflow.ts';

/** How a peer was heard of. */
export type PeerSource =
  'manual' | 'rendezvous' | 'gossip' | 'broadcast' | 'github' | 'local_file' | 'local_store' | 'cache' | 'unknown';

/** Where a peer can be found, as somebody said it. It is a hint: who answers there still proves peer id and membership. */
export interface PeerRecord {
  readonly peer: PeerId;
  /** best first, never empty; each ends in the peer's id */
  readonly multiaddrs: readonly string[];
  /** names of the tools it offers, and its kind (`tab`, `relay`) */
  readonly capabilities: readonly string[];
  /** ms since the epoch */
  readonly firstSeen: number;
  /** ms since the epoch */
  readonly lastSeen: number;
  readonly source: PeerSource;
  /** expired once `lastSeen` is longer ago than this */
  readonly ttlSeconds: number;
  readonly metadata: Readonly<Record<string, Json>>;
}

export interface PeerQuery {
  /** all of them; none: any peer */
  readonly capabilities: readonly string[];
  readonly maxPeers: number;
}

/** What a registry answers: never a rejection, so that one broken source hides no other; `value` is empty when `error` is set. */
export interface Outcome<T> {
  readonly value: T;
  readonly error: TabmeshError | null;
}

/** One way in which peers find each other. One contract suite runs over all of them (`tests/contract/peer-registry.ts`). */
export interface PeerRegistry {
  readonly name: PeerSource;
  /** false: every method answers false, nothing, or 0, and does nothing */
  available(): boolean;
  /** Publishes a record, replacing an older one of the same peer; its `firstSeen` is kept. False when this source takes none. */
  register(record: PeerRecord, signal: AbortSignal): Promise<Outcome<boolean>>;
  /** Records that have not expired, most recently seen first, at most `maxPeers`. */
  discover(query: PeerQuery, signal: AbortSignal): Promise<Outcome<readonly PeerRecord[]>>;
  /** The peer was seen now; nothing else of its record changes. False when it is not here. */
  update(peer: PeerId, signal: AbortSignal): Promise<Outcome<boolean>>;
  /** Takes out what has expired. @returns how many */
  cleanup(signal: AbortSignal): Promise<Outcome<number>>;
}

/** Told of every look at one source; what the metrics count. @param error why it failed */
export type OnDiscovery = (
  source: PeerSource,
  peersFound: number,
  success: boolean,
  durationMs: number,
  error?: string | null,
) => void;

export interface DiscoverRequest {
  readonly capabilities?: readonly string[];
  readonly maxPeers?: number;
  /** only these; `cache` is one of them. All when absent */
  readonly sources?: readonly PeerSource[];
  /** how long a source is waited for, ms */
  readonly timeoutMs?: number;
}

export interface Discovered {
  /** merged by peer, best first */
  readonly peers: readonly PeerRecord[];
  /** records that each source gave, before merging */
  readonly bySource: Readonly<Partial<Record<PeerSource, number>>>;
  readonly failures: readonly SourceFailure[];
  readonly tookMs: number;
}

export interface SourceFailure {
  readonly source: PeerSource;
  readonly error: TabmeshError;
}

/** What is measured of a peer, for ranking; null where nothing was measured. */
export interface PeerRank {
  /** 0–1 */
  readonly reliability: number | null;
  readonly latencyMs: number | null;
}

/** `owner/name` as GitHub gives them: letters, digits and single hyphens, and for the repository also dots and underscores. */
export const GITHUB_REPOSITORY = /^(?<owner>[a-z\d](?:-?[a-z\d]){0,38})\/(?<repo>(?!\.{1,2}$)[\w.-]{1,100})$/i;
