import type { CallMetrics, LatencySummary, RuntimeStats } from '../../contracts/tool-metrics.ts';
import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { count } from '../fields.ts';
import { callMetrics, healthResult, registryStatistics } from './tool-metrics-schemas.ts';

/** Counted already; a check of the storage waits for the storage. */
const TIMEOUT_MS = 10_000;

/** How calls went at one peer. */
export const toolMetrics = defineTool({
  name: 'tool_metrics',
  category: 'mesh',
  title: 'Measure tool calls',
  description:
    'Returns how calls went at the peer that is asked since it started: requests, errors and latency of those it made and of ' +
    'those it served, by runtime, tool and place; what its router did; which places it leaves alone; its tools by runtime and ' +
    'category; and how its parts are. Use it to see which tools or places are slow or fail.',
  access: 'read',
  runtime: 'auto',
  local: true,
  idempotent: true,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({}),
  output: z.strictObject({
    made: callMetrics.check(z.describe('calls that this peer made, under the place where they ran')),
    served: callMetrics.check(z.describe('calls that ran at this peer, whoever made them')),
    router: z.strictObject({
      running: count('calls under way'),
      cached_answers: count('answers kept to be given again'),
      cache_hits: count('calls answered so'),
      cache_misses: count('calls that could have been'),
      shared: count('calls that waited for the answer of one alike'),
      hedged: count('calls that were sent to a second place'),
      retried: count('waits before a call was tried again'),
    }),
    breakers: z.array(
      z.strictObject({
        peer: z.string(),
        tool: z.string(),
        state: z.enum(['open', 'half-open']),
        failures: count('in a row'),
        retry_after_ms: z.number(),
      }),
    ),
    registry: registryStatistics,
    messages: z.record(z.string(), z.int()).check(z.describe('requests of other peers by method')),
    health: z.array(healthResult),
    condition: z.strictObject({
      members: z.nullable(z.int()).check(z.describe('that the peer is linked to')),
      load: z.nullable(z.number()).check(z.describe('share of its time that is busy, 0 to 1')),
      load_p50: z.number().check(z.describe('lately')),
      load_p95: z.number().check(z.describe('lately')),
    }),
  }),
  async run({ ports, signal }) {
    const report = await ports.routing.report(signal);
    const { made, served, router, breakers, registry, messages, health, condition } = report;
    return {
      made: metricsToWire(made),
      served: metricsToWire(served),
      router: {
        running: router.running,
        cached_answers: router.cachedAnswers,
        cache_hits: router.cacheHits,
        cache_misses: router.cacheMisses,
        shared: router.shared,
        hedged: router.hedged,
        retried: router.retried,
      },
      breakers: breakers.map(({ retryAfterMs, ...same }) => ({ ...same, retry_after_ms: retryAfterMs })),
      registry: {
        total: registry.total,
        total_tools: registry.total,
        by_runtime: { ...registry.byRuntime },
        by_category: { ...registry.byCategory },
        p2p_tools: registry.p2pTools,
        categories: registry.categories,
      },
      messages: { ...messages },
      condition: {
        members: condition.members,
        load: condition.load,
        load_p50: condition.loadP50,
        load_p95: condition.loadP95,
      },
      health: health.map(({ tookMs, details, ...same }) => ({ ...same, details: { ...details }, took_ms: tookMs })),
    };
  },
});

function metricsToWire({ byRuntime, stats, byTool, byPlace }: CallMetrics) {
  const { mesh, relay, unknown } = byRuntime;
  return {
    by_runtime: { mesh: summaryToWire(mesh), relay: summaryToWire(relay), unknown: summaryToWire(unknown) },
    stats: statsToWire(stats),
    by_tool: each(byTool),
    by_place: each(byPlace),
  };
}

const each = (all: Readonly<Record<string, LatencySummary>>) =>
  Object.fromEntries(Object.entries(all).map(([name, summary]) => [name, summaryToWire(summary)]));

const summaryToWire = (summary: LatencySummary) => ({
  request_count: summary.requestCount,
  error_count: summary.errorCount,
  total_latency_ms: summary.totalMs,
  min_latency_ms: summary.minMs,
  max_latency_ms: summary.maxMs,
  avg_latency_ms: summary.avgMs,
  p95_latency_ms: summary.p95Ms,
  p99_latency_ms: summary.p99Ms,
});

const statsToWire = (stats: RuntimeStats) => ({
  total_requests: stats.totalRequests,
  total_errors: stats.totalErrors,
  error_rate: stats.errorRate,
  by_runtime: Object.fromEntries(
    Object.entries(stats.byRuntime).map(([runtime, { requests, percentage, avgLatencyMs }]) => [
      runtime,
      { requests, percentage, avg_latency_ms: avgLatencyMs },
    ]),
  ),
  latency_improvement: stats.latencyImprovement,
});
