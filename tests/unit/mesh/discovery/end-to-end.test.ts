import { expect, it } from 'vitest';
import { BookRegistry } from '../../../../src/mesh/discovery/book-registry.ts';
import { DiscoveryCoordinator } from '../../../../src/mesh/discovery/coordinator.ts';
import { PeerMetrics } from '../../../../src/monitor/peer-metrics.ts';
import { never, PEERS, peerRecord } from '../../../support/peer-records.ts';
import { bench, step, workflow } from '../../workflow/support.ts';

it('PI9 three peers are discovered, a run is started, and both are counted: one discovery, one completed', async () => {
  const { start, clock } = bench();
  const metrics = new PeerMetrics(clock);
  const registry = new BookRegistry('gossip', clock);
  for (const peer of PEERS.slice(0, 3)) await registry.register(peerRecord(peer, clock.now()), never());
  const coordinator = new DiscoveryCoordinator({ registries: [registry], clock, onDiscovery: metrics.trackDiscovery });

  const { peers } = await coordinator.discover({}, never());
  expect(peers).toHaveLength(3);
  const run = await start(
    workflow([step('first'), step('second', ['first'])]),
    {},
    { peers: peers.map(({ peer }) => peer) },
  );

  expect(metrics.snapshot().discovery).toMatchObject({
    total: 1,
    successful: 1,
    successRate: 100,
    bySource: { gossip: 3 },
    last: clock.now(),
  });
  expect([run].filter(({ status }) => status === 'completed')).toHaveLength(1);
});

it('metrics keep the last hundred durations, count peers of successful looks only, and know nothing at first', () => {
  const { clock } = bench();
  const metrics = new PeerMetrics(clock);
  const nothing = { total: 0, successful: 0, failed: 0, successRate: 0, averageDurationMs: 0, last: null };
  expect(metrics.snapshot()).toEqual({
    discovery: { ...nothing, bySource: {} },
    bootstrap: { ...nothing, byMethod: {} },
  });
  metrics.trackDiscovery('github', 7, false, 1_000_000);
  for (let n = 1; n <= 100; n++) metrics.trackDiscovery('gossip', 1, true, n);
  expect(metrics.snapshot().discovery).toMatchObject({
    total: 101,
    failed: 1,
    successRate: 99.01,
    averageDurationMs: 50.5,
    bySource: { github: 0, gossip: 100 },
  });
});
