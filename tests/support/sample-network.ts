import type { KnownPeer, PeerNetwork } from '../../src/contracts/peer-network.ts';
import type { PeerId } from '../../src/lib/ids.ts';
import { addressOf, PEERS, peerRecord } from './peer-records.ts';

const NOW = 1_700_000_000_000;

/** A peer that is linked and measured, unless told otherwise. */
export function knownPeer(peer: PeerId, overrides: Partial<KnownPeer> = {}): KnownPeer {
  return {
    peer,
    multiaddr: addressOf(peer),
    status: 'connected',
    kind: 'tab',
    capabilities: ['search_index', 'tab'],
    lastSeen: NOW,
    connectedSince: NOW - 3_600_000,
    latencyMs: 12,
    bandwidthMbps: 100,
    reliability: 0.99,
    uptimeHours: 1,
    ...overrides,
  };
}

/** A mesh of two other peers, in which everything works. Override what a test is about. */
export function sampleNetwork(overrides: Partial<PeerNetwork> = {}): PeerNetwork {
  const peers = [knownPeer(PEERS[0]), knownPeer(PEERS[1], { status: 'disconnected', latencyMs: null })];
  const network: PeerNetwork = {
    available: () => true,
    list: () => peers,
    discover: () =>
      Promise.resolve({ peers: [peerRecord(PEERS[0], NOW)], bySource: { gossip: 1 }, failures: [], tookMs: 250 }),
    connect: () => Promise.resolve({ peer: peers[0]!, attempts: 2, tookMs: 1500 }),
    disconnect: (peer) => Promise.resolve(peer === PEERS[0]),
    metrics: (peer) =>
      Promise.resolve(
        peer !== PEERS[0]
          ? undefined
          : {
              at: NOW,
              peer: peers[0]!,
              latencyMs: 12,
              bandwidthMbps: 100,
              lossPercent: 0,
              quality: 0.9,
              requestsServed: 7,
              bytesTransferred: 4096,
            },
      ),
    history: (_, hours) =>
      Array.from({ length: Math.min(hours, 3) }, (_hour, n) => ({
        at: NOW - (3 - n) * 3_600_000,
        latencyMs: 10 + n,
        bandwidthMbps: null,
        lossPercent: 0,
        quality: 0.9,
        bytesTransferred: 100,
      })),
    bootstrap: ({ nodes = [addressOf(PEERS[2])], maxConnections }) =>
      Promise.resolve({
        result: {
          success: true,
          successfulNodes: 1,
          failedNodes: 1,
          totalAttempts: 2,
          reached: [addressOf(PEERS[2])],
          publicIp: null,
          natType: 'unknown',
          executionMs: 800,
          attempts: [],
        },
        nodesUsed: nodes.slice(0, maxConnections),
        connectedPeers: [PEERS[2], PEERS[0]],
      }),
    ...overrides,
  };
  return network;
}
