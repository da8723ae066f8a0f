import * as z from '../../tools/zod.ts';
import { count } from '../fields.ts';
import { connectionInfo, currentMetrics, hourOfMetrics } from './metrics-wire.ts';
import { SORT_KEYS } from './sort-peers.ts';
import { moment, numberOrNull, outcomeFields } from './answer.ts';

/* What the peer tools give back. A field that only a success has is optional. */

export const STATUSES = ['connected', 'connecting', 'disconnected'] as const;

const metrics = z.strictObject({
  latency_ms: numberOrNull,
  bandwidth_mbps: numberOrNull,
  reliability_score: numberOrNull,
  uptime_hours: numberOrNull,
});

export const discovered = z.strictObject({
  ...outcomeFields,
  peers: z.array(
    z.strictObject({
      peer_id: z.string(),
      multiaddr: z.string(),
      capabilities: z.array(z.string()),
      last_seen: moment,
      metrics: z.optional(metrics),
    }),
  ),
  discovered_count: z.int(),
  search_time: z.number().check(z.describe('seconds')),
  capability_filter: z.optional(z.nullable(z.array(z.string()))),
  max_peers: z.optional(z.int()),
});

export const connected = z.strictObject({
  ...outcomeFields,
  peer_id: z.string(),
  multiaddr: z.string(),
  connection_id: z.optional(z.string()),
  connection_time: z.optional(z.number().check(z.describe('seconds'))),
  protocol_version: z.optional(z.string()),
  peer_capabilities: z.optional(z.array(z.string())),
  persist: z.optional(z.boolean()),
  attempts: z.optional(count('tries; 0 when there was a link already')),
});

export const disconnected = z.strictObject({
  ...outcomeFields,
  peer_id: z.string(),
  was_connected: z.optional(z.boolean()),
  graceful: z.optional(z.boolean()),
  reason: z.optional(z.nullable(z.string())),
  cleanup_performed: z.optional(z.boolean()),
  disconnection_time: z.optional(z.number().check(z.describe('seconds that it took'))),
});

export const listed = z.strictObject({
  ...outcomeFields,
  peers: z.array(
    z.strictObject({
      peer_id: z.string(),
      multiaddr: z.nullable(z.string()),
      status: z.enum(STATUSES),
      capabilities: z.array(z.string()),
      last_seen: moment,
      connected_since: moment,
      reliability_score: numberOrNull,
    }),
  ),
  total_count: count('all that fit the filters'),
  returned_count: count('those in this answer'),
  has_more: z.boolean(),
  sort_by: z.enum(SORT_KEYS),
});

export const measured = z.strictObject({
  ...outcomeFields,
  peer_id: z.string(),
  current_metrics: z.optional(currentMetrics),
  connection_info: z.optional(connectionInfo),
  timestamp: z.optional(z.number().check(z.describe('seconds since the epoch'))),
  history: z.optional(z.array(hourOfMetrics)),
  history_hours: z.optional(z.int()),
});

export const bootstrapped = z.strictObject({
  ...outcomeFields,
  connected_count: count('peers connected'),
  failed_count: count('places that could not be reached'),
  network_ready: z.boolean(),
  bootstrap_nodes_used: z.optional(z.array(z.string())),
  connected_peers: z.optional(z.array(z.string())),
  bootstrap_time: z.optional(z.number().check(z.describe('seconds'))),
  min_connections: z.optional(z.int()),
  max_connections: z.optional(z.int()),
});
