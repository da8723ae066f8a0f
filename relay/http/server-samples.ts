import type { AuditLog } from '../../src/monitor/audit/log.ts';
import type { Tokens } from '../tokens/tokens.ts';
import type { LiveRequests } from './gate/live-requests.ts';
import type { McpEndpoint } from './mcp/endpoint.ts';
import type { Sample } from './metrics-text.ts';
import type { Upgrades } from './upgrade.ts';

/** What the HTTP side has open, and what it has written down. */
export function serverSamples(parts: {
  readonly mcp: Pick<McpEndpoint, 'sessions'>;
  readonly live: Pick<LiveRequests, 'count'>;
  readonly upgrades: Pick<Upgrades, 'count'>;
  readonly tokens: Pick<Tokens, 'list'>;
  readonly audit: Pick<AuditLog, 'counts'>;
}): readonly Sample[] {
  const { waiting, written, lost } = parts.audit.counts();
  const gauge = (name: string, help: string, value: number) => ({ name, help, type: 'gauge', value }) as const;
  const counter = (name: string, help: string, value: number) => ({ name, help, type: 'counter', value }) as const;
  return [
    gauge('tabmesh_mcp_sessions', 'Sessions of older MCP clients', parts.mcp.sessions()),
    gauge('tabmesh_http_live_requests', 'Authenticated requests and streams', parts.live.count()),
    gauge('tabmesh_upgraded_connections', 'WebSocket connections of peers', parts.upgrades.count()),
    gauge('tabmesh_tokens', 'Tokens of clients', parts.tokens.list().length),
    gauge('tabmesh_audit_waiting', 'Audit entries that are not yet written', waiting),
    counter('tabmesh_audit_written_total', 'Audit entries that were written', written),
    counter('tabmesh_audit_lost_total', 'Audit entries that were left out', lost),
  ];
}
