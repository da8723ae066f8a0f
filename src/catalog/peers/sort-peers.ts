import type { KnownPeer } from '../../contracts/peer-network.ts';

export const SORT_KEYS = ['last_seen', 'latency', 'bandwidth', 'peer_id'] as const;
export type SortKey = (typeof SORT_KEYS)[number];

/** What is small comes first; the unknown last. */
const VALUES: Readonly<Record<SortKey, (peer: KnownPeer) => number>> = {
  last_seen: ({ lastSeen }) => (lastSeen === null ? Infinity : -lastSeen),
  latency: ({ latencyMs }) => latencyMs ?? Infinity,
  bandwidth: ({ bandwidthMbps }) => (bandwidthMbps === null ? Infinity : -bandwidthMbps),
  peer_id: () => 0,
};

/** Sorted: the latest seen, the lowest latency, the highest bandwidth or the first id first; ties by id. */
export function sortPeers(peers: readonly KnownPeer[], key: SortKey): KnownPeer[] {
  const value = VALUES[key];
  return peers.toSorted((a, b) => {
    const [left, right] = [value(a), value(b)];
    if (left !== right) return left < right ? -1 : 1;
    return a.peer < b.peer ? -1 : 1;
  });
}
