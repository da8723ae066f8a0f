import type { HourlyMetrics, PeerMetrics } from '../../contracts/peer-network.ts';
import * as z from '../../tools/zod.ts';
import { count } from '../fields.ts';
import { moment, numberOrNull, seconds } from './answer.ts';
import { PROTOCOL_VERSION } from './protocol-version.ts';

const measures = {
  latency_ms: numberOrNull,
  bandwidth_mbps: numberOrNull,
  packet_loss_percent: numberOrNull,
  connection_quality: numberOrNull.check(z.describe('0 to 1')),
};

export const currentMetrics = z.strictObject({
  ...measures,
  reliability_score: numberOrNull.check(z.describe('0 to 1: share of pings and attempts to connect that worked')),
  uptime_hours: numberOrNull.check(z.describe('hours linked since this peer started')),
  requests_served: z.nullable(count('calls that it says it has served')),
  bytes_transferred: count('of calls and answers between the two, both ways'),
});

export const connectionInfo = z.strictObject({
  status: z.enum(['connected', 'connecting', 'disconnected']),
  connected_since: moment,
  last_active: moment,
  protocol_version: z.string(),
  peer_type: z.nullable(z.enum(['tab', 'relay'])),
  capabilities: z.array(z.string()),
});

export const hourOfMetrics = z.strictObject({
  timestamp: z.number().check(z.describe('start of the hour, seconds since the epoch')),
  ...measures,
  bytes_transferred: count('in this hour'),
});

export function currentToWire(metrics: PeerMetrics): z.output<typeof currentMetrics> {
  return {
    ...measuresToWire(metrics),
    reliability_score: metrics.peer.reliability,
    uptime_hours: metrics.peer.uptimeHours,
    requests_served: metrics.requestsServed,
    bytes_transferred: metrics.bytesTransferred,
  };
}

export function infoToWire({ peer }: PeerMetrics): z.output<typeof connectionInfo> {
  return {
    status: peer.status,
    connected_since: seconds(peer.connectedSince),
    last_active: seconds(peer.lastSeen),
    protocol_version: PROTOCOL_VERSION,
    peer_type: peer.kind,
    capabilities: [...peer.capabilities],
  };
}

export function hourToWire(hour: HourlyMetrics): z.output<typeof hourOfMetrics> {
  return { timestamp: hour.at / 1000, ...measuresToWire(hour), bytes_transferred: hour.bytesTransferred };
}

function measuresToWire(of: Pick<HourlyMetrics, 'latencyMs' | 'bandwidthMbps' | 'lossPercent' | 'quality'>) {
  return {
    latency_ms: of.latencyMs,
    bandwidth_mbps: of.bandwidthMbps,
    packet_loss_percent: of.lossPercent,
    connection_quality: of.quality,
  };
}
