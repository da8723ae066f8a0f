import * as z from '../../tools/zod.ts';
import { count } from '../fields.ts';

const ms = (description: string) => z.number().check(z.describe(`milliseconds; ${description}`));

const summary = z.strictObject({
  request_count: count('calls'),
  error_count: count('of these, failed'),
  total_latency_ms: ms('of all'),
  min_latency_ms: ms('0 before the first'),
  max_latency_ms: ms('of all'),
  avg_latency_ms: ms('of all'),
  p95_latency_ms: ms('of the latest'),
  p99_latency_ms: ms('of the latest'),
});

const stats = z.strictObject({
  total_requests: z.int(),
  total_errors: z.int(),
  error_rate: z.number().check(z.describe('percent')),
  by_runtime: z.record(
    z.string(),
    z.strictObject({ requests: z.int(), percentage: z.number(), avg_latency_ms: z.number() }),
  ),
  latency_improvement: z
    .nullable(z.number())
    .check(z.describe('percent by which mesh is faster than relay; null until both had ten calls')),
});

/** Calls of one peer, made or served. */
export const callMetrics = z.strictObject({
  by_runtime: z.strictObject({ mesh: summary, relay: summary, unknown: summary }),
  stats,
  by_tool: z.record(z.string(), summary),
  by_place: z.record(z.string(), summary).check(z.describe('by peer id')),
});

export const registryStatistics = z.strictObject({
  total: z.int(),
  total_tools: z.int(),
  by_runtime: z.strictObject({ mesh: z.int(), relay: z.int(), auto: z.int() }),
  by_category: z.record(z.string(), z.int()),
  p2p_tools: z.int(),
  categories: z.int(),
});

export const healthResult = z.strictObject({
  component: z.string(),
  status: z.enum(['healthy', 'warning', 'critical', 'unknown']),
  message: z.string(),
  at: z.number().check(z.describe('milliseconds since the epoch')),
  details: z.record(z.string(), z.unknown()),
  took_ms: z.number(),
});
