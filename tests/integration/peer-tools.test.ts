import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Principal } from '../../src/contracts/tools.ts';
import type { PeerId } from '../../src/lib/ids.ts';
import type { HeadlessRoom } from '../../src/peer/node/start-room.ts';
import { Cleanups, startMember } from '../support/live-peers.ts';
import { startLiveRelay, type LiveRelay } from '../support/live-relay.ts';

type Answer = Record<string, unknown> & { readonly success: boolean };

describe('the peer tools on a real mesh', () => {
  const cleanups = new Cleanups();
  let live: LiveRelay;
  let member: HeadlessRoom;
  let relayPeer: PeerId;

  const call = async (tool: string, args: object): Promise<Answer> => {
    const principal: Principal = { kind: 'device', device: member.room.replica.device, peer: member.peer };
    const answer = await member.room.tools.call({ tool, args, principal, place: member.peer });
    if (!answer.ok) throw new Error(answer.error.message);
    return answer.value as Answer;
  };
  const until = async (check: () => boolean | Promise<boolean>): Promise<void> => {
    for (;;) {
      if (await check()) return;
      await new Promise<void>((resolve) => {
        const unsubscribe = member.room.mesh.subscribe(() => {
          unsubscribe();
          resolve();
        });
      });
    }
  };
  const statusOf = async (peer: PeerId) => {
    const { peers } = (await call('peer_list', {})) as unknown as { peers: { peer_id: string; status: string }[] };
    return peers.find(({ peer_id }) => peer_id === peer)?.status;
  };

  beforeAll(async () => {
    live = await startLiveRelay();
    cleanups.add(() => live.close());
    relayPeer = live.gateway.self;
    member = await startMember(live, cleanups);
    await until(() => member.room.mesh.list().some(({ tools, latencyMs }) => tools.length > 0 && latencyMs !== null));
  });
  afterAll(() => cleanups.run());

  it('lists who is linked, as measured', async () => {
    const { peers, total_count } = (await call('peer_list', { status_filter: 'connected' })) as unknown as {
      peers: Record<string, unknown>[];
      total_count: number;
    };
    expect(total_count).toBe(1);
    expect(peers).toMatchObject([
      { peer_id: relayPeer, multiaddr: live.roomPeer, status: 'connected', reliability_score: 1 },
    ]);
    expect(peers[0]?.['capabilities']).toContain('search_index');
    expect(peers[0]?.['connected_since']).toBeLessThanOrEqual(Date.now() / 1000);
  });

  it('finds who a relay introduces, with what they offer', async () => {
    const all = await call('peer_discover', { include_metrics: true });
    expect(all).toMatchObject({ success: true, discovered_count: 1, peers: [{ peer_id: relayPeer }] });
    expect(await call('peer_discover', { capability_filter: ['echo', 'peer_list'] })).toMatchObject({
      discovered_count: 1,
    });
    expect(await call('peer_discover', { capability_filter: ['no_such_tool'] })).toMatchObject({ discovered_count: 0 });
  });

  it('measures latency, bandwidth and bytes of a direct link', async () => {
    const answer = await call('peer_metrics', { peer_id: relayPeer, include_history: true });
    const { current_metrics: now, history } = answer as unknown as {
      current_metrics: Record<string, number>;
      history: Record<string, number>[];
    };
    expect(now).toMatchObject({ packet_loss_percent: 0, reliability_score: 1 });
    expect(now['latency_ms']).toBeGreaterThan(0);
    expect(now['bandwidth_mbps']).toBeGreaterThan(1);
    expect(now['bytes_transferred']).toBeGreaterThan(256 * 1024);
    expect(now['connection_quality']).toBeGreaterThan(0.2);
    expect(history.length).toBeGreaterThanOrEqual(1);
    expect(history[0]?.['bytes_transferred']).toBeGreaterThan(0);
  });

  it('lets go of a peer and stays away from it, until it is told to connect again', async () => {
    expect(await call('peer_disconnect', { peer_id: relayPeer, reason: 'test' })).toMatchObject({
      success: true,
      was_connected: true,
    });
    await until(async () => (await statusOf(relayPeer)) === 'disconnected');
    expect(await call('peer_disconnect', { peer_id: relayPeer })).toMatchObject({
      success: true,
      was_connected: false,
    });
    expect(await call('peer_connect', { peer_id: relayPeer, multiaddr: live.roomPeer })).toMatchObject({
      success: true,
      attempts: 1,
      persist: true,
    });
    expect(await statusOf(relayPeer)).toBe('connected');
    expect(await call('peer_connect', { peer_id: relayPeer, multiaddr: live.roomPeer })).toMatchObject({ attempts: 0 });
  });

  it('does not connect to another peer than was meant, nor to a stranger', async () => {
    const wrong = await call('peer_connect', { peer_id: member.peer, multiaddr: live.roomPeer });
    expect(wrong).toMatchObject({ success: false, attempts: 0 });
    const nobody = live.roomPeer.replace(/\/tcp\/\d+/, '/tcp/1');
    await call('peer_disconnect', { peer_id: relayPeer });
    const failed = await call('peer_connect', { peer_id: relayPeer, multiaddr: nobody, retry_count: 1, timeout: 5 });
    expect(failed).toMatchObject({ success: false, attempts: 1 });
    expect(await call('peer_connect', { peer_id: relayPeer, multiaddr: live.roomPeer })).toMatchObject({
      success: true,
    });
  });

  it('bootstraps from the relays of the room, and counts who is connected', async () => {
    expect(await call('bootstrap_network', { min_connections: 2 })).toMatchObject({
      success: true,
      network_ready: true,
      connected_count: 2,
      failed_count: 0,
      bootstrap_nodes_used: [live.address],
    });
    const bad = await call('bootstrap_network', { bootstrap_nodes: ['/dns4/x/tcp/1'], min_connections: 2, timeout: 5 });
    expect(bad).toMatchObject({ success: false, failed_count: 1, network_ready: false });
    const { bootstrap, discovery, methods, tries, sources } = member.room.finding.finding();
    // getting into the relay at the start was the first
    expect(bootstrap).toMatchObject({ total: 3, successful: 2, byMethod: { relay: 2, custom_server: 1 } });
    expect(methods).toContainEqual(expect.objectContaining({ name: 'custom_server', failed: 1, successRate: 0 }));
    expect(tries[0]).toMatchObject({ method: 'custom_server', target: '/dns4/x/tcp/1' });
    expect(tries[0]?.error).toMatch(/address/);
    expect(tries.slice(1).map(({ method, error }) => [method, error])).toEqual([
      ['relay', null],
      ['relay', null],
    ]);
    expect(discovery.bySource['rendezvous']).toBeGreaterThan(0);
    expect(sources.find(({ name }) => name === 'rendezvous')).toMatchObject({ failed: 0, trouble: null });
  });
});
