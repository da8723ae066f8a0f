import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { catalog } from '../../../../src/catalog/index.ts';
import type { PeerNetwork } from '../../../../src/contracts/peer-network.ts';
import type { Principal } from '../../../../src/contracts/tools.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import { TabmeshError } from '../../../../src/lib/errors.ts';
import { memberPrincipal, memoryPorts, selfDevice, selfPeer } from '../../../support/ports.ts';
import { addressOf, PEERS } from '../../../support/peer-records.ts';
import { knownPeer, sampleNetwork } from '../../../support/sample-network.ts';
import { failureCode, localTools } from '../../../support/tools.ts';

const [a, b, c] = PEERS;
const self: Principal = { kind: 'device', device: selfDevice, peer: selfPeer };

function call(tool: string, args: object, overrides: Partial<PeerNetwork> = {}, principal = self): Promise<unknown> {
  const ports = memoryPorts({ network: sampleNetwork(overrides) });
  return localTools(catalog, systemClock, { ports }).call({ tool, args, principal });
}

const gone: Partial<PeerNetwork> = { available: () => false };
const DEGRADED = { success: false, degraded_mode: true, error: expect.stringContaining('not running') as unknown };

describe('peer_discover', () => {
  it('finds peers with the defaults of its contract', async () => {
    const asked: unknown[] = [];
    const network = sampleNetwork();
    const answer = await call(
      'peer_discover',
      {},
      {
        discover: (request, signal) => {
          asked.push(request);
          return network.discover(request, signal);
        },
      },
    );
    expect(asked).toEqual([{ capabilities: [], maxPeers: 10, timeoutMs: 30_000 }]);
    expect(answer).toEqual({
      success: true,
      peers: [{ peer_id: a, multiaddr: addressOf(a), capabilities: ['search_index', 'tab'], last_seen: 1_700_000_000 }],
      discovered_count: 1,
      search_time: 0.25,
      capability_filter: null,
      max_peers: 10,
    });
  });

  it('adds what was measured when asked to, null where nothing was', async () => {
    expect(await call('peer_discover', { include_metrics: true, capability_filter: ['tab'] })).toMatchObject({
      peers: [{ metrics: { latency_ms: 12, bandwidth_mbps: 100, reliability_score: 0.99, uptime_hours: 1 } }],
      capability_filter: ['tab'],
    });
    expect(await call('peer_discover', { include_metrics: true }, { list: () => [] })).toMatchObject({
      peers: [{ metrics: { latency_ms: null, bandwidth_mbps: null, reliability_score: null, uptime_hours: null } }],
    });
  });

  it('answers without a mesh, and when looking fails', async () => {
    const none = { peers: [], discovered_count: 0, search_time: 0 };
    expect(await call('peer_discover', {}, gone)).toEqual({ ...DEGRADED, ...none });
    const failing = { discover: () => Promise.reject(new TabmeshError('internal', 'all broken')) };
    expect(await call('peer_discover', {}, failing)).toEqual({ success: false, error: 'all broken', ...none });
  });
});

describe('peer_connect', () => {
  const args = { peer_id: a, multiaddr: addressOf(a) };

  it('names the connection by what it leads to', async () => {
    expect(await call('peer_connect', args)).toEqual({
      success: true,
      ...args,
      connection_id: createHash('sha256')
        .update(a + addressOf(a))
        .digest('hex')
        .slice(0, 16),
      connection_time: 1.5,
      protocol_version: '1.0.0',
      peer_capabilities: ['search_index', 'tab'],
      persist: true,
      attempts: 2,
    });
  });

  it('passes on time limit, tries and whether to remember', async () => {
    const asked: unknown[] = [];
    const connect: PeerNetwork['connect'] = (request) => {
      asked.push(request);
      return Promise.reject(new TabmeshError('peer_unreachable', 'nobody there', { details: { attempts: 2 } }));
    };
    const answer = await call('peer_connect', { ...args, timeout: 7, retry_count: 2, persist: false }, { connect });
    expect(asked).toEqual([{ peer: a, multiaddr: addressOf(a), timeoutMs: 7000, attempts: 2, persist: false }]);
    expect(answer).toEqual({ success: false, error: 'nobody there', ...args, attempts: 2 });
  });

  it('answers without a mesh', async () => {
    expect(await call('peer_connect', args, gone)).toEqual({ ...DEGRADED, ...args });
  });
});

describe('peer_disconnect', () => {
  it('tells whether there was a link', async () => {
    expect(await call('peer_disconnect', { peer_id: a, reason: 'done' })).toEqual({
      success: true,
      peer_id: a,
      was_connected: true,
      graceful: true,
      reason: 'done',
      cleanup_performed: true,
      disconnection_time: expect.any(Number) as unknown,
    });
    expect(await call('peer_disconnect', { peer_id: b, graceful: false })).toMatchObject({
      was_connected: false,
      graceful: false,
      reason: null,
    });
  });

  it('answers without a mesh', async () => {
    expect(await call('peer_disconnect', { peer_id: a }, gone)).toEqual({ ...DEGRADED, peer_id: a });
  });
});

describe('peer_list', () => {
  const peers = [
    knownPeer(b, { latencyMs: 30, bandwidthMbps: 5, lastSeen: 3000 }),
    knownPeer(a, { latencyMs: null, bandwidthMbps: 50, lastSeen: 1000, capabilities: ['relay'], kind: 'relay' }),
    knownPeer(c, {
      latencyMs: 10,
      bandwidthMbps: null,
      lastSeen: 2000,
      status: 'disconnected',
      connectedSince: null,
      reliability: null,
    }),
  ];
  const list = async (args: object) =>
    (await call('peer_list', args, { list: () => peers })) as {
      peers: { peer_id: string }[];
      total_count: number;
      has_more: boolean;
    };

  it.each([
    [{}, [b, c, a]],
    [{ sort_by: 'last_seen' }, [b, c, a]],
    [{ sort_by: 'latency' }, [c, b, a]],
    [{ sort_by: 'bandwidth' }, [a, b, c]],
    [{ sort_by: 'peer_id' }, [a, b, c]],
    [{ status_filter: 'disconnected' }, [c]],
    [{ status_filter: 'connecting' }, []],
    [{ capability_filter: ['relay'] }, [a]],
    [{ capability_filter: ['relay', 'tab'] }, []],
    [{ capability_filter: [] }, [b, c, a]],
  ])('%j gives them in that order', async (args, ids) => {
    expect((await list(args)).peers.map(({ peer_id }) => peer_id)).toEqual(ids);
  });

  it('pages', async () => {
    expect(await list({ limit: 2 })).toMatchObject({
      total_count: 3,
      returned_count: 2,
      has_more: true,
      sort_by: 'last_seen',
    });
    expect(await list({ limit: 2, offset: 2 })).toMatchObject({ total_count: 3, returned_count: 1, has_more: false });
    expect(await list({ offset: 9 })).toMatchObject({ peers: [], total_count: 3, returned_count: 0, has_more: false });
  });

  it('shows a peer whole', async () => {
    const { peers: shown } = await list({ status_filter: 'disconnected' });
    expect(shown).toEqual([
      {
        peer_id: c,
        multiaddr: addressOf(c),
        status: 'disconnected',
        capabilities: ['search_index', 'tab'],
        last_seen: 2,
        connected_since: null,
        reliability_score: null,
      },
    ]);
  });

  it('answers without a mesh', async () => {
    expect(await call('peer_list', {}, gone)).toEqual({
      ...DEGRADED,
      peers: [],
      total_count: 0,
      returned_count: 0,
      has_more: false,
      sort_by: 'last_seen',
    });
  });
});

describe('peer_metrics', () => {
  it('tells what was measured', async () => {
    expect(await call('peer_metrics', { peer_id: a })).toEqual({
      success: true,
      peer_id: a,
      current_metrics: {
        latency_ms: 12,
        bandwidth_mbps: 100,
        packet_loss_percent: 0,
        connection_quality: 0.9,
        reliability_score: 0.99,
        uptime_hours: 1,
        requests_served: 7,
        bytes_transferred: 4096,
      },
      connection_info: {
        status: 'connected',
        connected_since: 1_699_996_400,
        last_active: 1_700_000_000,
        protocol_version: '1.0.0',
        peer_type: 'tab',
        capabilities: ['search_index', 'tab'],
      },
      timestamp: 1_700_000_000,
    });
  });

  it('adds the hours before when asked to, oldest first', async () => {
    const answer = (await call('peer_metrics', { peer_id: a, include_history: true, history_hours: 2 })) as {
      history: { timestamp: number; latency_ms: number }[];
      history_hours: number;
    };
    expect(answer.history_hours).toBe(2);
    expect(answer.history).toHaveLength(2);
    expect(answer.history[0]!.timestamp).toBeLessThan(answer.history[1]!.timestamp);
  });

  it('answers for a peer that nobody knows, and without a mesh', async () => {
    expect(await call('peer_metrics', { peer_id: b })).toEqual({
      success: false,
      error: `no peer ${b} is known here`,
      peer_id: b,
    });
    expect(await call('peer_metrics', { peer_id: a }, gone)).toEqual({ ...DEGRADED, peer_id: a });
  });
});

describe('bootstrap_network', () => {
  it.each([
    [2, true],
    [3, false],
  ])('BS29 min_connections decides whether the network is ready: %i', async (min_connections, ready) => {
    expect(await call('bootstrap_network', { min_connections })).toMatchObject({
      success: ready,
      network_ready: ready,
      connected_count: 2,
      failed_count: 1,
      connected_peers: [c, a],
      bootstrap_nodes_used: [addressOf(c)],
      bootstrap_time: 0.8,
      min_connections,
      max_connections: 10,
    });
  });

  it('passes on the nodes, and how many of them', async () => {
    const nodes = PEERS.map((peer) => addressOf(peer));
    expect(await call('bootstrap_network', { bootstrap_nodes: nodes, max_connections: 2 })).toMatchObject({
      bootstrap_nodes_used: nodes.slice(0, 2),
    });
  });

  it('answers without a mesh, and when it fails', async () => {
    const none = { connected_count: 0, failed_count: 0, network_ready: false };
    expect(await call('bootstrap_network', {}, gone)).toEqual({ ...DEGRADED, ...none });
    const bootstrap = () => Promise.reject(new TabmeshError('internal', 'no'));
    expect(await call('bootstrap_network', {}, { bootstrap })).toEqual({ success: false, error: 'no', ...none });
  });
});

it('steering a peer is for who administers it', async () => {
  const args = {
    peer_connect: { peer_id: a, multiaddr: addressOf(a) },
    peer_disconnect: { peer_id: a },
    bootstrap_network: {},
  };
  for (const [tool, given] of Object.entries(args)) {
    expect(await failureCode(() => call(tool, given, {}, memberPrincipal))).toBe('forbidden');
  }
  expect(await call('peer_list', {}, {}, memberPrincipal)).toMatchObject({ success: true });
});
