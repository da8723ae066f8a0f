import type { ToolMetricsReport } from '../../src/contracts/routing.ts';
import type { LatencySummary } from '../../src/contracts/tool-metrics.ts';
import type { HeadlessRoom } from '../../src/peer/node/start-room.ts';
import type { Sample } from '../http/metrics-text.ts';
import type { RelayNode } from './relay-node.ts';

/** Who scrapes waits about this long, ms; a health check that hangs is then told as one that failed. */
const REPORT_MS = 5_000;

type Labels = Readonly<Record<string, string>>;

/** What the relay's own node has open, and how it goes in the room that it is a member of. */
export async function meshSamples(
  { libp2p, circuits }: RelayNode,
  headless: HeadlessRoom | undefined,
): Promise<readonly Sample[]> {
  const { open, bytes } = circuits.totals();
  const own = [
    gauge('tabmesh_relay_connections', 'Connections of the relay’s own node', libp2p.getConnections().length),
    gauge('tabmesh_circuits', 'Circuits that are open', open),
    counter('tabmesh_circuit_bytes_total', 'Bytes that circuits have carried, in both directions', bytes),
  ];
  return headless === undefined ? own : [...own, ...(await roomSamples(headless))];
}

/** How it goes in a room. */
export async function roomSamples(headless: HeadlessRoom): Promise<readonly Sample[]> {
  const { mesh, routing, finding } = headless.room;
  const report = await routing.report(AbortSignal.timeout(REPORT_MS));
  const links = Map.groupBy(mesh.peers(), ({ link }) => link);
  const { discovery, bootstrap } = finding.finding();
  return [
    ...[...links].map(([link, peers]) => gauge('tabmesh_peers', 'Peers of the room by link', peers.length, { link })),
    ...callSamples(report),
    ...routerSamples(report),
    ...each(report.messages, (method, count) =>
      counter('tabmesh_mesh_requests_total', 'Requests of other peers by method', count, { method }),
    ),
    ...each(discovery.bySource, (source, count) =>
      counter('tabmesh_peers_found_total', 'Peers found by source', count, { source }),
    ),
    ...each(bootstrap.byMethod, (method, count) =>
      counter('tabmesh_bootstrap_tries_total', 'Tries to get into the network by method', count, { method }),
    ),
  ];
}

function callSamples({ made, served }: ToolMetricsReport): readonly Sample[] {
  return (
    [
      ['made', made],
      ['served', served],
    ] as const
  ).flatMap(([side, metrics]) => [
    ...each(metrics.byRuntime, (runtime, summary) => latencies('runtime', { side, runtime }, summary)).flat(),
    ...each(metrics.byTool, (tool, summary) => latencies('tool', { side, tool }, summary)).flat(),
    ...each(metrics.byPlace, (place, summary) => latencies('place', { side, place }, summary)).flat(),
  ]);
}

/** @param by what the calls are told apart by, which is part of the name: one name has one set of labels */
function latencies(by: string, labels: Labels, summary: LatencySummary): readonly Sample[] {
  const name = `tabmesh_${by}`;
  return [
    counter(`${name}_calls_total`, `Calls by ${by}`, summary.requestCount, labels),
    counter(`${name}_errors_total`, `Failed calls by ${by}`, summary.errorCount, labels),
    counter(`${name}_ms_total`, `Time of calls by ${by}, ms`, summary.totalMs, labels),
    gauge(`${name}_p95_ms`, `95th percentile of recent calls by ${by}, ms`, summary.p95Ms, labels),
  ];
}

function routerSamples({ router, breakers, health }: ToolMetricsReport): readonly Sample[] {
  const did = (what: string, count: number) =>
    counter('tabmesh_router_total', 'What the router did besides choosing places', count, { what });
  return [
    gauge('tabmesh_calls_running', 'Calls under way', router.running),
    gauge('tabmesh_breakers', 'Circuit breakers that are not closed', breakers.length),
    did('cache_hit', router.cacheHits),
    did('cache_miss', router.cacheMisses),
    did('shared', router.shared),
    did('hedged', router.hedged),
    did('retried', router.retried),
    ...health.map(({ component, status }) =>
      gauge('tabmesh_healthy', 'Whether a part is healthy', status === 'healthy' ? 1 : 0, { component }),
    ),
  ];
}

function each<V, T>(record: Readonly<Record<string, V>>, make: (key: string, value: V) => T): T[] {
  return Object.entries(record).map(([key, value]) => make(key, value));
}

function gauge(name: string, help: string, value: number, labels: Labels = {}): Sample {
  return { name, help, type: 'gauge', labels, value };
}

function counter(name: string, help: string, value: number, labels: Labels = {}): Sample {
  return { name, help, type: 'counter', labels, value };
}
