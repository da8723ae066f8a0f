import type { PeerId } from '../lib/ids.ts';
import type { BootstrapResult } from './bootstrap.ts';
import type { DiscoverRequest, Discovered } from './discovery.ts';

/** The peers of the room as the peer tools see and steer them. Times are ms since the epoch, durations ms. */
export interface PeerNetwork {
  /** false before this peer has started and after it has stopped: the tools then answer in degraded mode */
  available(): boolean;
  /** peers linked, being linked, or known of; never this one */
  list(): readonly KnownPeer[];
  discover(request: DiscoverRequest, signal: AbortSignal): Promise<Discovered>;
  /**
   * Links to a peer and waits for its proof of membership; tries again after a pause.
   * @throws `invalid_input`, `not_a_member`, `peer_unreachable`, `timeout`, with `details.attempts`; `cancelled`
   */
  connect(request: ConnectRequest, signal: AbortSignal): Promise<Connected>;
  /** @returns whether there was a link. A peer that comes by itself is let in again */
  disconnect(peer: PeerId, options: { readonly graceful: boolean; readonly reason: string | null }): Promise<boolean>;
  /** @returns undefined for a peer that is not known */
  metrics(peer: PeerId, signal: AbortSignal): Promise<PeerMetrics | undefined>;
  /** @returns at most that many whole hours, oldest first, each with something in it */
  history(peer: PeerId, hours: number): readonly HourlyMetrics[];
  bootstrap(request: BootstrapRequest, signal: AbortSignal): Promise<NetworkBootstrap>;
}

export type LinkStatus = 'connected' | 'connecting' | 'disconnected';

export interface KnownPeer {
  readonly peer: PeerId;
  /** the way it is or was last reached by; null when it came to us and told none */
  readonly multiaddr: string | null;
  readonly status: LinkStatus;
  readonly kind: 'tab' | 'relay' | null;
  readonly capabilities: readonly string[];
  /** null: never */
  readonly lastSeen: number | null;
  /** null: not linked */
  readonly connectedSince: number | null;
  readonly latencyMs: number | null;
  readonly bandwidthMbps: number | null;
  /** 0–1, null until there is something to judge by */
  readonly reliability: number | null;
  /** hours it has been linked to this peer, all told */
  readonly uptimeHours: number | null;
}

export interface ConnectRequest {
  readonly peer: PeerId;
  readonly multiaddr: string;
  /** of one try */
  readonly timeoutMs: number;
  /** tries, at least 1 */
  readonly attempts: number;
  /** remembers where the peer is, and links again when the link is lost */
  readonly persist: boolean;
}

export interface Connected {
  readonly peer: KnownPeer;
  /** tries that it took; 0 when there was a link already */
  readonly attempts: number;
  readonly tookMs: number;
}

/** What was measured in a span of time; null where nothing was. */
export interface LinkMeasures {
  readonly latencyMs: number | null;
  readonly bandwidthMbps: number | null;
  readonly lossPercent: number | null;
  /** 0–1: how the link feels, from latency and loss */
  readonly quality: number | null;
}

export interface PeerMetrics extends LinkMeasures {
  /** when this was so */
  readonly at: number;
  readonly peer: KnownPeer;
  /** calls it says it has served since it started; null when it said nothing yet */
  readonly requestsServed: number | null;
  /** bytes of calls and answers between it and this peer, both ways */
  readonly bytesTransferred: number;
}

export interface HourlyMetrics extends LinkMeasures {
  /** start of the hour */
  readonly at: number;
  readonly bytesTransferred: number;
}

export interface BootstrapRequest {
  /** multiaddrs; the room's relays when absent */
  readonly nodes?: readonly string[];
  readonly timeoutMs: number;
  readonly maxConnections: number;
}

export interface NetworkBootstrap {
  readonly result: BootstrapResult;
  readonly nodesUsed: readonly string[];
  /** the nodes that were reached, and the members that are linked */
  readonly connectedPeers: readonly PeerId[];
}
