import type { MeshPeer } from '../../contracts/mesh.ts';
import type { PeerId } from '../../lib/ids.ts';

/** Links are measured every five seconds: a sample more often would show the same number again. */
export const SAMPLE_INTERVAL_MS = 5_000;
/** Ten minutes of samples: what a person who looks at a slow link wants to see. */
export const MAX_SAMPLES = 120;
/** A large room has some hundred peers; those that were seen least lately are forgotten first. */
export const MAX_PEERS = 256;

/** A round trip as this app has seen it. */
export interface LatencySample {
  /** ms since the epoch */
  readonly at: number;
  /** null while the peer was here and not measured, or not linked */
  readonly latencyMs: number | null;
}

/** The round trips to each peer while this app was open. Bounded in samples and in peers. */
export class LatencyHistory {
  /** the peer that was sampled least lately comes first */
  readonly #samples = new Map<PeerId, readonly LatencySample[]>();
  #sampledAt = -Infinity;

  /**
   * Takes a sample of every other peer, unless the last ones are too recent.
   * @param now ms since the epoch
   */
  record(peers: readonly MeshPeer[], now: number): void {
    if (now - this.#sampledAt < SAMPLE_INTERVAL_MS) return;
    this.#sampledAt = now;
    for (const { peer, link, latencyMs } of peers) {
      if (link === 'self') continue;
      const before = this.#samples.get(peer) ?? [];
      this.#samples.delete(peer);
      this.#samples.set(peer, [...before.slice(1 - MAX_SAMPLES), { at: now, latencyMs }]);
    }
    for (const peer of this.#samples.keys()) {
      if (this.#samples.size <= MAX_PEERS) break;
      this.#samples.delete(peer);
    }
  }

  /** Oldest first; empty for a peer that was not seen. */
  of(peer: PeerId): readonly LatencySample[] {
    return this.#samples.get(peer) ?? [];
  }
}
