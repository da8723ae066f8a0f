import { describe, expect, it } from 'vitest';
import { catalog } from '../../../../src/catalog/index.ts';
import type { PeerNetwork } from '../../../../src/contracts/peer-network.ts';
import type { Principal } from '../../../../src/contracts/tools.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import { checkBootstrapAddress } from '../../../../src/mesh/bootstrap/address.ts';
import { PUBLIC_IPFS_NODES } from '../../../../src/mesh/bootstrap/nodes.ts';
import { memoryPorts, selfDevice, selfPeer } from '../../../support/ports.ts';
import { addressOf, PEERS } from '../../../support/peer-records.ts';
import { sampleNetwork } from '../../../support/sample-network.ts';
import { localTools } from '../../../support/tools.ts';

/*
 * EN of the specification, as far as it speaks of what there is: the six peer tools. EN2 to EN7 and EN11 to EN16 are about
 * the tools of the task queue and of workflows, EN18 and EN19 about a report of which of these engines are there.
 */

const [peer] = PEERS;
const principal: Principal = { kind: 'device', device: selfDevice, peer: selfPeer };
const gone: Partial<PeerNetwork> = { available: () => false };

const ALL_OPTIONS: Readonly<Record<string, object>> = {
  peer_discover: { capability_filter: ['tab'], max_peers: 2, timeout: 10, include_metrics: true },
  peer_connect: { peer_id: peer, multiaddr: addressOf(peer), timeout: 5, retry_count: 1, persist: false },
  peer_disconnect: { peer_id: peer, graceful: false, reason: 'done' },
  peer_list: { status_filter: 'connected', capability_filter: [], limit: 5, offset: 1, sort_by: 'latency' },
  peer_metrics: { peer_id: peer, include_history: true, history_hours: 3 },
  bootstrap_network: { bootstrap_nodes: [addressOf(peer)], timeout: 30, min_connections: 5, max_connections: 5 },
};

async function call(tool: string, args: object, overrides: Partial<PeerNetwork> = {}) {
  const ports = memoryPorts({ network: sampleNetwork(overrides) });
  return (await localTools(catalog, systemClock, { ports }).call({ tool, args, principal })) as Record<string, unknown>;
}

describe('EN: the peer tools', () => {
  it('EN1 there are six, each can be called, and each says where it runs', async () => {
    const tools = catalog.filter(({ metadata }) => metadata.category === 'peers');
    expect(tools.map(({ metadata }) => metadata.name).sort()).toEqual(Object.keys(ALL_OPTIONS).sort());
    for (const { metadata } of tools) expect(['mesh', 'relay', 'auto']).toContain(metadata.runtime);
  });

  it.each(Object.entries(ALL_OPTIONS))(
    'EN8, EN17 %s answers an object to all of its options at once',
    async (tool, args) => {
      expect(await call(tool, args)).toMatchObject({ success: expect.any(Boolean) as unknown });
    },
  );

  it('EN8 a list has peers, and bootstrap says how many are connected', async () => {
    expect((await call('peer_list', {}))['peers']).toBeInstanceOf(Array);
    expect((await call('bootstrap_network', {}))['connected_count']).toBe(2);
  });

  it('EN9 at most as many peers are found as were asked for', async () => {
    const asked: unknown[] = [];
    const network = sampleNetwork();
    const answer = await call(
      'peer_discover',
      { max_peers: 2 },
      {
        discover: (request, signal) => {
          asked.push(request.maxPeers);
          return network.discover(request, signal);
        },
      },
    );
    expect(asked).toEqual([2]);
    expect((answer['peers'] as unknown[]).length).toBeLessThanOrEqual(2);
  });

  it('EN10 a connection has an id, the same for the same peer and address', async () => {
    const args = { peer_id: peer, multiaddr: addressOf(peer) };
    const [first, again] = [await call('peer_connect', args), await call('peer_connect', args)];
    expect(first['connection_id']).toMatch(/^[0-9a-f]{16}$/);
    expect(again['connection_id']).toBe(first['connection_id']);
  });

  it.each(Object.entries(ALL_OPTIONS))('EN20 %s answers without a network', async (tool, args) => {
    expect(await call(tool, args, gone)).toMatchObject({ success: false, degraded_mode: true });
  });

  it('EN21 bootstrap keeps the time limit and the number of peers that it is given', async () => {
    const asked: unknown[] = [];
    const network = sampleNetwork();
    const answer = await call(
      'bootstrap_network',
      { timeout: 30, min_connections: 5 },
      {
        bootstrap: (request, signal) => {
          asked.push(request.timeoutMs);
          return network.bootstrap(request, signal);
        },
      },
    );
    expect(asked).toEqual([30_000]);
    expect(answer).toMatchObject({ min_connections: 5, success: false });
  });

  it.each([
    [addressOf(peer), true],
    [addressOf(peer).slice(1), false],
    ['/ip4', false],
    ['', false],
  ])('EN22 the address %j is one: %s', (text, expected) => {
    expect(checkBootstrapAddress(text).ok).toBe(expected);
  });

  it('EN23 the list of public nodes is not empty, and every one of it begins with a slash', () => {
    expect(PUBLIC_IPFS_NODES.length).toBeGreaterThan(0);
    for (const { multiaddr } of PUBLIC_IPFS_NODES) expect(multiaddr.startsWith('/')).toBe(true);
  });

  it('EN24 bootstrap without a network says that, and that nobody is connected', async () => {
    expect(await call('bootstrap_network', {}, gone)).toMatchObject({
      success: false,
      degraded_mode: true,
      connected_count: 0,
      network_ready: false,
    });
  });
});
