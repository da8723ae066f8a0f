import type { RoutingPort } from '../../src/contracts/routing.ts';
import type { DeviceId, PeerId } from '../../src/lib/ids.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { ToolMetrics } from '../../src/monitor/tool-metrics.ts';

const place = {
  kind: 'self',
  peer: 'peer-self' as PeerId,
  device: 'device-self' as DeviceId,
  name: 'Amber Heron',
} as const;

const metrics = new ToolMetrics({ clock: systemClock });
metrics.book({ tool: 'echo', runtime: 'mesh', place: place.peer, ms: 1.5, ok: true });

/** A router that has one place for everything. */
export const sampleRouting: RoutingPort = {
  explain: ({ tool }) =>
    Promise.resolve({
      tool,
      runtime: 'auto',
      chosen: place,
      why: 'no other place can',
      candidates: [{ place, score: 120, reasons: ['runs here: nothing crosses the network'], excluded: null }],
    }),
  resetBreakers: () => Promise.resolve(1),
  report: () =>
    Promise.resolve({
      made: metrics.all(),
      served: metrics.all(),
      router: { running: 0, cachedAnswers: 1, cacheHits: 2, cacheMisses: 3, shared: 0, hedged: 0, retried: 0 },
      registry: {
        total: 1,
        byRuntime: { mesh: 1, relay: 0, auto: 0 },
        byCategory: { mesh: 1 },
        p2pTools: 0,
        categories: 1,
      },
      breakers: [{ peer: 'peer-2' as PeerId, tool: 'echo', state: 'open', failures: 5, retryAfterMs: 42_000 }],
      condition: { members: 2, load: 0.25, loadP50: 0.2, loadP95: 0.9 },
      messages: { 'tools/call': 7 },
      health: [
        {
          component: 'mesh',
          status: 'healthy',
          message: 'members are linked',
          at: 1_700_000_000_000,
          details: {},
          tookMs: 0.1,
        },
      ],
    }),
};
