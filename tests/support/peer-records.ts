import type { PeerRecord } from '../../src/contracts/discovery.ts';
import type { PeerId } from '../../src/lib/ids.ts';

/** Real peer ids, so that addresses with them parse; in alphabetical order. */
export const PEERS = [
  '12D3KooWEXa67mmtWfoDjjcFRuN8fY4AXY1Enrp4NknLXfZSkkyk',
  '12D3KooWEhHnAdeEmfh9TPc7g9GzAD8kM7ZstNZku7vmS5DZfJ6R',
  '12D3KooWR9H4XK129FyXjBH9WNJK2tfz9JQxaqVzLShHtLE8NqsJ',
  '12D3KooWRYJEDStgVtC3z46w4MELz8vNa7YagGEXqiZD7iBnYcTd',
  '12D3KooWRiQnrMbwLhsUTcTxFbeCpqpjLdkajc4gViPyUP2uojCB',
] as unknown as readonly [PeerId, PeerId, PeerId, PeerId, PeerId];

/** A loopback address of a peer. */
export const addressOf = (peer: PeerId, port = 4001): string => `/ip4/127.0.0.1/tcp/${String(port)}/ws/p2p/${peer}`;

/** The record of a peer that was seen at `now`, unless told otherwise. */
export function peerRecord(peer: PeerId, now: number, overrides: Partial<PeerRecord> = {}): PeerRecord {
  return {
    peer,
    multiaddrs: [addressOf(peer)],
    capabilities: ['search_index', 'tab'],
    firstSeen: now,
    lastSeen: now,
    source: 'unknown',
    ttlSeconds: 3600,
    metadata: {},
    ...overrides,
  };
}

export const never = (): AbortSignal => new AbortController().signal;
