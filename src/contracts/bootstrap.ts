import type { Json } from './workflow.ts';

export type BootstrapMethod = 'ipfs_bootstrap' | 'custom_server' | 'local_discovery' | 'dht' | 'relay';
export type AttemptStatus = 'pending' | 'in_progress' | 'success' | 'failed' | 'timeout';

/** A place to start from. */
export interface BootstrapNode {
  readonly multiaddr: string;
  readonly method: BootstrapMethod;
  /** lower is tried first. Only here: it is how bootstrap lists are written; inside, 0–10 and higher is sooner */
  readonly priority: number;
  readonly timeoutSeconds: number;
  readonly metadata: Readonly<Record<string, Json>>;
}

/** One try of one node. */
export interface BootstrapAttempt {
  readonly node: BootstrapNode;
  readonly status: AttemptStatus;
  /** ms since the epoch */
  readonly startedAt: number;
  /** null while it is open */
  readonly endedAt: number | null;
  /** null while it is open */
  readonly durationMs: number | null;
  readonly error: string | null;
  /** peers that the node led to */
  readonly peerCount: number;
}

/**
 * How the network in front of this device treats it. `open`: its own address is the one that others see; `cone`: one port
 * for all; `symmetric`: another port for each peer, so that nobody can be told where to knock.
 */
export type NatType = 'open' | 'cone' | 'symmetric' | 'unknown';

export interface BootstrapResult {
  /** at least one node was reached */
  readonly success: boolean;
  readonly successfulNodes: number;
  readonly failedNodes: number;
  readonly totalAttempts: number;
  /** addresses of the nodes that this run has reached */
  readonly reached: readonly string[];
  readonly publicIp: string | null;
  readonly natType: NatType;
  readonly executionMs: number;
  /** of this run and those before it, oldest first */
  readonly attempts: readonly BootstrapAttempt[];
}

/** Told of every finished attempt; what the metrics count. @param attempt where it led, and why it failed */
export type OnBootstrap = (
  method: BootstrapMethod,
  success: boolean,
  durationMs: number,
  attempt?: { readonly target: string; readonly error: string | null },
) => void;

/** An ICE candidate as far as the type of NAT shows in it (RFC 8839 §5.1). */
export interface IceCandidate {
  readonly type: 'host' | 'srflx' | 'prflx' | 'relay';
  readonly protocol: 'udp' | 'tcp';
  /** an IP address, or a name ending in `.local` where the browser hides it */
  readonly address: string;
  readonly port: number;
  /** of a server-reflexive one: the host's own address and port, where told */
  readonly relatedAddress: string | null;
  readonly relatedPort: number | null;
}

/** What came of asking STUN servers from one socket. */
export interface IceGathering {
  readonly candidates: readonly IceCandidate[];
  /** servers that answered. Two that saw the same port give one candidate, so the candidates do not tell */
  readonly answered: number;
}

/** Gathers this device's ICE candidates; `ice-candidates.browser.ts` and `.node.ts`. */
export interface IceCandidates {
  /**
   * @param stun urls; two different servers are needed to tell cone from symmetric
   * @throws `unsupported` where there is no WebRTC
   */
  gather(stun: readonly string[], signal: AbortSignal): Promise<IceGathering>;
}

/** What can be found out about the way to this device from outside; null and `unknown` where it cannot. */
export interface Reachability {
  publicAddress(signal: AbortSignal): Promise<string | null>;
  natType(signal: AbortSignal): Promise<NatType>;
}
