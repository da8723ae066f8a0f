import { describe, expect, it } from 'vitest';
import type { PeerRecord, PeerRegistry, PeerSource } from '../../../../src/contracts/discovery.ts';
import { TabmeshError } from '../../../../src/lib/errors.ts';
import { shared } from '../../../../src/lib/shared.ts';
import { BookRegistry } from '../../../../src/mesh/discovery/book-registry.ts';
import {
  DiscoveryCoordinator,
  SOURCE_TIMEOUT_MS,
  type CoordinatorOptions,
} from '../../../../src/mesh/discovery/coordinator.ts';
import { PeerMetrics } from '../../../../src/monitor/peer-metrics.ts';
import { manualClock } from '../../../support/manual-clock.ts';
import { addressOf, never, PEERS, peerRecord } from '../../../support/peer-records.ts';

const [a, b, c, d] = PEERS;
const NOW = 1_000_000_000;

/** A coordinator over registries in memory with these records. */
async function room(
  sources: Partial<Record<PeerSource, readonly PeerRecord[]>>,
  options: Partial<CoordinatorOptions> = {},
  extra: readonly PeerRegistry[] = [],
) {
  const clock = manualClock(NOW);
  const registries = Object.keys(sources).map((name) => new BookRegistry(name as PeerSource, clock));
  for (const registry of registries) {
    for (const record of sources[registry.name] ?? []) await registry.register(record, never());
  }
  const coordinator = new DiscoveryCoordinator({ registries: [...registries, ...extra], clock, ...options });
  const discover = async (request: Parameters<typeof coordinator.discover>[0] = {}) => {
    const { peers } = await coordinator.discover(request, never());
    return peers.map(({ peer }) => peer);
  };
  return { clock, coordinator, discover, registries };
}

/** A source that does whatever the test wants on `discover`. */
function source(name: PeerSource, discover: PeerRegistry['discover']): PeerRegistry {
  const nothing = <T>(value: T) => Promise.resolve({ value, error: null });
  return {
    name,
    available: () => true,
    register: () => nothing(true),
    discover,
    update: () => nothing(true),
    cleanup: () => nothing(0),
  };
}

describe('the discovery coordinator', () => {
  it('PD19 registers everywhere and reports per registry', async () => {
    const gone = source('github', () => Promise.resolve({ value: [], error: null }));
    const failing: PeerRegistry = { ...gone, name: 'gossip', register: () => Promise.reject(new Error('no')) };
    const off: PeerRegistry = { ...gone, name: 'broadcast', available: () => false };
    const { coordinator, registries } = await room({ local_file: [], manual: [] }, {}, [gone, failing, off]);
    const answer = await coordinator.register(peerRecord(a, NOW), never());
    expect(answer.registries).toEqual({ local_file: true, manual: true, github: true, gossip: false });
    expect(answer.failures).toMatchObject([{ source: 'gossip', error: { message: 'no' } }]);
    for (const registry of registries) {
      expect((await registry.discover({ capabilities: [], maxPeers: 1 }, never())).value).toHaveLength(1);
    }
  });

  it('PD20 with nothing enabled the map is empty, but the peer is remembered', async () => {
    const { coordinator, discover } = await room({});
    expect(await coordinator.register(peerRecord(a, NOW), never())).toEqual({ registries: {}, failures: [] });
    expect(await discover()).toEqual([a]);
  });

  it('PD21 one record a peer: that of the more trusted source', async () => {
    const { coordinator } = await room({
      local_file: [peerRecord(a, NOW, { capabilities: ['old'] })],
      github: [peerRecord(a, NOW, { capabilities: ['new'] })],
    });
    const { peers, bySource } = await coordinator.discover({}, never());
    expect(peers).toMatchObject([{ peer: a, source: 'github', capabilities: ['new'] }]);
    expect(bySource).toMatchObject({ local_file: 1, github: 1, cache: 0 });
  });

  it('PD22 the same peer from two sources: newest last_seen, oldest first_seen, all addresses', async () => {
    const { coordinator } = await room({
      github: [peerRecord(a, NOW - 5000, { firstSeen: NOW - 9000, ttlSeconds: 60 })],
      local_file: [
        peerRecord(a, NOW - 1000, {
          firstSeen: NOW - 7000,
          multiaddrs: [addressOf(a, 2), addressOf(a)],
          ttlSeconds: 70,
        }),
      ],
    });
    const { peers } = await coordinator.discover({}, never());
    expect(peers).toMatchObject([
      {
        source: 'github',
        multiaddrs: [addressOf(a), addressOf(a, 2)],
        firstSeen: NOW - 9000,
        lastSeen: NOW - 1000,
        ttlSeconds: 70,
      },
    ]);
  });

  it('PD23 one source that throws, fails or hangs does not hide the other, and is told of', async () => {
    const throwing = source('github', () => {
      throw new Error('broken');
    });
    const failed = { value: [], error: new TabmeshError('upstream_throttled', 'later') };
    const failing = source('gossip', () => Promise.resolve(failed));
    const hanging = source('broadcast', () => new Promise(() => undefined));
    const { coordinator, clock } = await room({ local_file: [peerRecord(a, NOW)] }, {}, [throwing, failing, hanging]);
    const answer = coordinator.discover({}, never());
    await clock.advance(SOURCE_TIMEOUT_MS);
    const { peers, failures } = await answer;
    expect(peers.map(({ peer }) => peer)).toEqual([a]);
    expect(failures.map(({ source: from, error }) => [from, error.code])).toEqual([
      ['github', 'internal'],
      ['gossip', 'upstream_throttled'],
      ['broadcast', 'timeout'],
    ]);
  });

  it('PD24 the sources argument limits the sources, the cache too', async () => {
    const { coordinator, discover } = await room({ local_file: [peerRecord(a, NOW)], github: [peerRecord(b, NOW)] });
    await coordinator.register(peerRecord(c, NOW), never());
    for (const name of ['local_file', 'github'] as const) {
      expect((await discover({ sources: [name] })).includes(c)).toBe(true);
    }
    const { coordinator: other, discover: find } = await room({ local_file: [peerRecord(a, NOW)], github: [] }, {}, []);
    await find();
    expect(await find({ sources: ['github'] })).toEqual([]);
    expect(await find({ sources: ['cache'] })).toEqual([a]);
    expect(await find({ sources: [] })).toEqual([]);
    expect((await other.discover({ sources: ['github'] }, never())).bySource).toEqual({ github: 0 });
  });

  it('PD25 expired peers of the cache are dropped', async () => {
    const { coordinator, clock, discover } = await room({});
    await coordinator.register(peerRecord(a, NOW, { ttlSeconds: 10 }), never());
    await clock.advance(10_000);
    expect(await discover()).toEqual([a]);
    await clock.advance(1);
    expect(await discover()).toEqual([]);
    expect(coordinator.cached()).toEqual([]);
  });

  it('PD26 the cache honours the capability filter', async () => {
    const { coordinator, discover } = await room({});
    await coordinator.register(peerRecord(a, NOW, { capabilities: ['x'] }), never());
    await coordinator.register(peerRecord(b, NOW, { capabilities: ['x', 'y'] }), never());
    expect(await discover({ capabilities: ['x', 'y'] })).toEqual([b]);
    expect((await discover({ capabilities: [] })).toSorted()).toEqual([a, b]);
  });

  it('PD27 sorted by last_seen, then reliability, then latency, then id', async () => {
    const rank: Record<string, { reliability: number | null; latencyMs: number | null }> = {
      [a]: { reliability: 0.5, latencyMs: 1 },
      [b]: { reliability: 0.9, latencyMs: 80 },
      [c]: { reliability: 0.9, latencyMs: 20 },
      [d]: { reliability: null, latencyMs: null },
    };
    const { discover } = await room(
      { manual: [...[a, b, c, d].map((peer) => peerRecord(peer, NOW)), peerRecord(PEERS[4], NOW - 3_600_000)] },
      { rankOf: (peer) => rank[peer] ?? { reliability: 1, latencyMs: 0 } },
    );
    expect(await discover()).toEqual([c, b, a, d, PEERS[4]]);
    expect(await discover({ maxPeers: 2 })).toEqual([c, b]);
    const plain = await room({ manual: [peerRecord(b, NOW), peerRecord(c, NOW - 200_000), peerRecord(a, NOW)] });
    expect(await plain.discover()).toEqual([a, b, c]);
  });

  it('PD28 cleanup reports per registry and cache', async () => {
    const { coordinator, clock } = await room({
      local_file: [peerRecord(a, NOW, { ttlSeconds: 1 }), peerRecord(b, NOW, { ttlSeconds: 1 })],
      github: [peerRecord(a, NOW, { ttlSeconds: 1 })],
      manual: [peerRecord(c, NOW)],
    });
    await coordinator.discover({}, never());
    await clock.advance(5000);
    const answer = await coordinator.cleanup(never());
    expect(answer).toEqual({ registries: { local_file: 2, github: 1, manual: 0, cache: 2 }, failures: [] });
  });

  it('PD29 cleans up by itself only after 300 s', async () => {
    const { coordinator, clock } = await room({ manual: [peerRecord(a, NOW, { ttlSeconds: 1 })] });
    await clock.advance(300_000);
    expect(await coordinator.cleanupIfDue(never())).toBeNull();
    await clock.advance(1);
    expect(await coordinator.cleanupIfDue(never())).toMatchObject({ registries: { manual: 1 } });
    expect(await coordinator.cleanupIfDue(never())).toBeNull();
  });

  it('PD30 shared: the same instance for everybody, a new one after a reset', () => {
    const one = shared((options: CoordinatorOptions) => new DiscoveryCoordinator(options));
    const clock = manualClock();
    const first = one.get({ registries: [], clock });
    expect(one.get({ registries: [new BookRegistry('manual', clock)], clock })).toBe(first);
    one.reset();
    expect(one.get({ registries: [], clock })).not.toBe(first);
  });

  it('PI1 two peers from a registry count two for that source', async () => {
    const metrics = new PeerMetrics(manualClock(NOW));
    const { coordinator } = await room(
      { github: [peerRecord(a, NOW), peerRecord(b, NOW)] },
      { onDiscovery: metrics.trackDiscovery },
    );
    await coordinator.discover({}, never());
    expect(metrics.snapshot().discovery).toMatchObject({ total: 1, successful: 1, bySource: { github: 2 } });
  });

  it('does not count itself among the peers that it has found', async () => {
    const metrics = new PeerMetrics(manualClock(NOW));
    const { coordinator } = await room(
      { broadcast: [peerRecord(a, NOW), peerRecord(b, NOW)] },
      { onDiscovery: metrics.trackDiscovery, self: a },
    );
    expect((await coordinator.discover({}, never())).bySource).toMatchObject({ broadcast: 1 });
    expect(metrics.snapshot().discovery.bySource).toEqual({ broadcast: 1 });
  });

  it('PI2 three sources are put together, the counts of each kept', async () => {
    const metrics = new PeerMetrics(manualClock(NOW));
    const { discover } = await room(
      {
        github: [peerRecord(a, NOW), peerRecord(b, NOW)],
        local_file: [peerRecord(c, NOW)],
        gossip: [peerRecord(b, NOW), peerRecord(c, NOW), peerRecord(d, NOW)],
      },
      { onDiscovery: metrics.trackDiscovery },
    );
    expect((await discover()).toSorted()).toEqual([a, b, c, d]);
    expect(metrics.snapshot().discovery).toMatchObject({ total: 3, bySource: { github: 2, local_file: 1, gossip: 3 } });
  });

  it('PI3 a record with a TTL of 1 s is fresh, and expired after 1.1 s', async () => {
    const { clock, discover } = await room({ manual: [peerRecord(a, NOW, { ttlSeconds: 1 })] });
    expect(await discover()).toEqual([a]);
    await clock.advance(1100);
    expect(await discover()).toEqual([]);
  });

  it('PI4 three records of two peers are two peers', async () => {
    const { discover } = await room({
      manual: [peerRecord(a, NOW)],
      github: [peerRecord(a, NOW), peerRecord(b, NOW)],
    });
    expect((await discover()).toSorted()).toEqual([a, b]);
  });

  it('asks no further when its caller no longer wants to know', async () => {
    const stop = new AbortController();
    const waiting = source(
      'gossip',
      (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        }),
    );
    const { coordinator } = await room({ manual: [] }, {}, [waiting]);
    const answer = coordinator.discover({}, stop.signal);
    stop.abort();
    await expect(answer).rejects.toThrow();
  });
});
