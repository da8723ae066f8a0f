import type { PeerRecord } from '../../contracts/discovery.ts';
import type { KnownPeer } from '../../contracts/peer-network.ts';
import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { wholeNumber } from '../fields.ts';
import { DEGRADED, failed } from './answer.ts';
import { capabilityFilter, flag, STICKY, timeoutSeconds } from './fields.ts';
import { discovered } from './schemas.ts';

const MAX_PEERS = 1000;
const MAX_TIMEOUT_SECONDS = 120;
/** the longest that may be asked for, and what it takes to answer */
const TIMEOUT_MS = (MAX_TIMEOUT_SECONDS + 5) * 1000;

/** Look for peers. */
export const peerDiscover = defineTool({
  name: 'peer_discover',
  category: 'peers',
  title: 'Discover peers',
  description:
    'Looks for peers of the room in every way that this peer has: the relays, the other members, the other tabs of this ' +
    'browser, what it remembers. Use it to find peers that are not linked yet, or that offer certain tools. Metrics are ' +
    'measured by this peer; what was not measured is null.',
  access: 'read',
  runtime: 'auto',
  idempotent: true,
  requiresP2p: true,
  sticky: STICKY,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({
    capability_filter: capabilityFilter,
    max_peers: wholeNumber(1, MAX_PEERS, 10, 'peers to return at most'),
    timeout: timeoutSeconds(30, MAX_TIMEOUT_SECONDS, 'how long a source is waited for'),
    include_metrics: flag(false, 'adds what was measured of each peer'),
  }),
  output: discovered,
  async run({ ports: { network }, signal }, { capability_filter, max_peers, timeout, include_metrics }) {
    const none = { peers: [], discovered_count: 0, search_time: 0 };
    if (!network.available()) return { ...DEGRADED, ...none };
    try {
      const request = { capabilities: capability_filter ?? [], maxPeers: max_peers, timeoutMs: timeout * 1000 };
      const { peers, tookMs } = await network.discover(request, signal);
      const measured = new Map(include_metrics ? network.list().map((peer) => [peer.peer, peer]) : []);
      return {
        success: true,
        peers: peers.map((record) => found(record, include_metrics, measured.get(record.peer))),
        discovered_count: peers.length,
        search_time: tookMs / 1000,
        capability_filter,
        max_peers,
      };
    } catch (thrown) {
      return { ...failed(thrown, signal), ...none };
    }
  },
});

function found({ peer, multiaddrs, capabilities, lastSeen }: PeerRecord, withMetrics: boolean, known?: KnownPeer) {
  return {
    peer_id: peer,
    multiaddr: multiaddrs[0] ?? '',
    capabilities: [...capabilities],
    last_seen: lastSeen / 1000,
    ...(withMetrics && {
      metrics: {
        latency_ms: known?.latencyMs ?? null,
        bandwidth_mbps: known?.bandwidthMbps ?? null,
        reliability_score: known?.reliability ?? null,
        uptime_hours: known?.uptimeHours ?? null,
      },
    }),
  };
}
