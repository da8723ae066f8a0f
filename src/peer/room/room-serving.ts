import { catalog } from '../../catalog/index.ts';
import { DEFAULT_CLASS_ACCESS } from '../../contracts/approvals.ts';
import type { McpProvider } from '../../contracts/mcp.ts';
import type { MeshPeer } from '../../contracts/mesh.ts';
import type { Ports } from '../../contracts/ports.ts';
import type { Principal } from '../../contracts/tools.ts';
import type { DeviceId } from '../../lib/ids.ts';
import { checkPrincipal, checkScope, closedTo, decideAccess } from '../../tools/access.ts';
import { ServedAudit } from '../../tools/audit/served.ts';
import { createGuard } from '../../tools/guard.ts';
import type { LocalTools } from '../../tools/local-tools.ts';
import { createLocalTools } from '../../tools/local-tools.ts';
import type { ToolRegistry } from '../../tools/registry.ts';
import { createToolRegistry } from '../../tools/registry.ts';
import type { CallFeed } from '../../tools/watching/feed.ts';
import { createPeerProvider } from './mcp-provider.ts';
import type { RoomAccess } from './room-access.ts';
import type { RoomContent } from './room-content.ts';
import type { RoomMetrics } from './room-metrics.ts';
import type { RoomPlatform } from './room-platform.ts';

/** What a peer does for others, and for itself: guarded, counted, watched, and written down. */
export interface RoomServing {
  readonly registry: ToolRegistry;
  readonly local: LocalTools;
  /** this peer's own MCP server */
  readonly mcp: McpProvider;
}

export interface RoomServingOptions {
  readonly platform: RoomPlatform;
  readonly access: Pick<RoomAccess, 'guard'>;
  /** what the tools work with */
  readonly ports: Ports;
  readonly content: Pick<RoomContent, 'datasets' | 'runs'>;
  readonly metrics: RoomMetrics;
  readonly calls: Pick<CallFeed, 'local'>;
  readonly peers: () => readonly MeshPeer[];
  /** called after the room has changed; returns the unsubscribe function */
  readonly watch: (listener: () => void) => () => void;
}

/** Makes the {@link RoomServing} of a peer. */
export function createRoomServing(options: RoomServingOptions): RoomServing {
  const { platform, access, ports, content, metrics, calls, peers, watch } = options;
  const { peer, deviceKey, deviceName, replica, clock } = platform;
  const serving = { peer, device: deviceKey.id };
  const nameOf = (device: DeviceId) => replica.state().devices[device]?.name ?? device;
  const audited = new ServedAudit({ sink: platform.audit, self: peer, nameOf, clock });
  const registry = createToolRegistry([...catalog, ...platform.ownTools], platform.log);
  const guard = createGuard({ registry, self: serving, ...access.guard, clock, ports });
  const local = calls.local(audited.tools(createLocalTools({ registry, guard, ports, clock, book: metrics.served })));
  const mayRead = (principal: Principal) => {
    checkPrincipal(principal);
    checkScope('resources', 'read', principal, serving, clock.now());
    const open = access.guard.classAccess?.() ?? DEFAULT_CLASS_ACCESS;
    if (decideAccess('resources', 'read', principal, serving, open) !== 'granted') throw closedTo('resources', 'read');
  };
  const mcp = audited.provider(
    platform.mcp ??
      createPeerProvider(local, deviceName, platform.version, {
        self: peer,
        datasets: content.datasets,
        runs: content.runs,
        room: () => replica.state(),
        peers,
        tools: () => local.list(),
        mayRead,
        subscribe: (listener) => {
          const off = [watch(listener), local.subscribe(listener)];
          return () => {
            for (const stop of off) stop();
          };
        },
        clock,
      }),
  );
  return { registry, local, mcp };
}
