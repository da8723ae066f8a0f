import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';
import type { CallMeter } from './gate/gate.ts';
import { samplesText, type SampleSource } from './metrics-text.ts';

/** From a call answered by the relay itself to a collection of thousands of records; seconds. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900];

/** Tools that are told apart: a member can offer any number, under names that change by the minute. */
const MAX_TOOL_LABELS = 500;

/** What this relay tells a monitoring system, in the text format of Prometheus. */
export interface Metrics extends CallMeter {
  /** an HTTP request was answered. @param route as declared, never the path that was asked for */
  answered(route: string, method: string, status: number): void;
  add(source: SampleSource): void;
  readonly contentType: string;
  text(): Promise<string>;
}

/** Makes {@link Metrics}, each relay its own: tests run several in one process. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const sources: SampleSource[] = [];
  const tools = new Set<string>();
  const seconds = new Histogram({
    name: 'tabmesh_tool_call_seconds',
    help: 'Calls of tools over MCP and REST, until they were answered',
    labelNames: ['tool', 'place', 'outcome'],
    buckets: SECONDS,
    registers,
  });
  const refused = new Counter({
    name: 'tabmesh_refused_total',
    help: 'Requests and calls that were not let in, by reason',
    labelNames: ['reason'],
    registers,
  });
  const requests = new Counter({
    name: 'tabmesh_http_requests_total',
    help: 'HTTP requests by route and status',
    labelNames: ['route', 'method', 'status'],
    registers,
  });
  return {
    contentType: registry.contentType,
    async text() {
      const own = await registry.metrics();
      const others = await Promise.all(sources.map(async (source) => await source()));
      return own + samplesText(others.flat());
    },
    called(tool, place, outcome, took) {
      if (tools.size < MAX_TOOL_LABELS) tools.add(tool);
      seconds.observe({ tool: tools.has(tool) ? tool : 'other', place, outcome }, took);
    },
    refused(reason) {
      refused.inc({ reason });
    },
    answered(route, method, status) {
      requests.inc({ route, method, status: String(status) });
    },
    add(source) {
      sources.push(source);
    },
  };
}
