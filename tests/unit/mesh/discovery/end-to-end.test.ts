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

it('metrics tell of each source and method by itself, and of the last fifty tries, newest first', async () => {
  const { clock } = bench();
  const metrics = new PeerMetrics(clock);
  expect(metrics.details()).toEqual({ sources: [], methods: [], tries: [] });
  metrics.trackDiscovery('github', 0, false, 30, 'GitHub refused the token (401)');
  metrics.trackDiscovery('gossip', 2, true, 10);
  metrics.trackDiscovery('gossip', 3, true, 20);
  expect(metrics.details().sources).toEqual([
    {
      name: 'github',
      total: 1,
      successful: 0,
      failed: 1,
      successRate: 0,
      averageDurationMs: 30,
      last: clock.now(),
      found: 0,
      trouble: 'GitHub refused the token (401)',
    },
    expect.objectContaining({ name: 'gossip', total: 2, averageDurationMs: 15, found: 5, trouble: null }),
  ]);
  metrics.trackDiscovery('github', 1, true, 30);
  expect(metrics.details().sources[0]).toMatchObject({ successRate: 50, found: 1, trouble: null });

  for (let n = 1; n <= 60; n++) {
    await clock.advance(1);
    metrics.trackBootstrap('relay', n % 2 === 0, n, { target: `relay-${n}`, error: n % 2 === 0 ? null : 'no answer' });
  }
  const { tries, methods } = metrics.details();
  expect(tries).toHaveLength(50);
  expect(tries[0]).toEqual({ endedAt: clock.now(), method: 'relay', target: 'relay-60', durationMs: 60, error: null });
  expect(tries.at(-1)).toMatchObject({ target: 'relay-11', error: 'no answer' });
  expect(methods).toMatchObject([{ name: 'relay', total: 60, failed: 30, successRate: 50, trouble: null }]);
});
