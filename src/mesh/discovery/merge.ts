import type { PeerRecord, PeerSource } from '../../contracts/discovery.ts';
import type { PeerId } from '../../lib/ids.ts';
import { MAX_ADDRESSES, SOURCES } from './record.ts';

/** One source's word on a peer. `from` is who gave it now; the record may say that it came from elsewhere first. */
export interface Copy {
  readonly from: PeerSource;
  readonly record: PeerRecord;
}

/**
 * One record a peer: source, capabilities and metadata of the most trusted copy that has any; last seen the newest of all,
 * with that copy's TTL; first seen the oldest; all addresses, the most trusted first.
 */
export function mergeRecords(copies: readonly Copy[]): PeerRecord[] {
  const byPeer = new Map<PeerId, Copy[]>();
  for (const copy of copies) {
    const { peer } = copy.record;
    byPeer.set(peer, [...(byPeer.get(peer) ?? []), copy]);
  }
  return [...byPeer.values()].map((same) => mergeOne(same));
}

function mergeOne(copies: readonly Copy[]): PeerRecord {
  const records = [...copies]
    .sort((a, b) => SOURCES.indexOf(a.from) - SOURCES.indexOf(b.from))
    .map(({ record }) => record);
  const newest = records.reduce((a, b) => (b.lastSeen > a.lastSeen ? b : a));
  const best = records[0] ?? newest;
  return {
    ...best,
    multiaddrs: [...new Set(records.flatMap(({ multiaddrs }) => multiaddrs))].slice(0, MAX_ADDRESSES),
    capabilities: records.find(({ capabilities }) => capabilities.length > 0)?.capabilities ?? [],
    metadata: records.find(({ metadata }) => Object.keys(metadata).length > 0)?.metadata ?? {},
    firstSeen: Math.min(...records.map(({ firstSeen }) => firstSeen)),
    lastSeen: newest.lastSeen,
    ttlSeconds: newest.ttlSeconds,
  };
}
