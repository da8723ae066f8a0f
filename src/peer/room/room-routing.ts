import type { Connection } from '../../contracts/mesh.ts';
import type { KeyValueStore } from '../../contracts/kv.ts';
import type { Ports } from '../../contracts/ports.ts';
import type { Replica } from '../../contracts/replica.ts';
import type { RoutingPort } from '../../contracts/routing.ts';
import type { Clock } from '../../lib/clock.ts';
import { toTabmeshError } from '../../lib/errors.ts';
import type { DeviceId, RoomId } from '../../lib/ids.ts';
import type { Log } from '../../lib/log.ts';
import type { RoomMesh } from '../../mesh/room/room-mesh.ts';
import type { Finding } from '../../monitor/tool-metrics-health.ts';
import type { LocalTools } from '../../tools/local-tools.ts';
import { createRoomPlaces } from '../../tools/places.ts';
import type { ToolRegistry } from '../../tools/registry.ts';
import type { RemotePlace } from '../../tools/remote.ts';
import { createRoutedTools, type RoutedTools } from '../../tools/room-tools.ts';
import type { RoomMetrics } from './room-metrics.ts';

export interface RoomRoutingOptions {
  readonly room: RoomId;
  readonly self: () => Ports['self'];
  readonly registry: ToolRegistry;
  readonly local: LocalTools;
  readonly mesh: RoomMesh;
  readonly replica: Replica;
  readonly store: KeyValueStore;
  readonly condition: () => Pick<RemotePlace, 'load' | 'battery'>;
  readonly metrics: RoomMetrics;
  readonly clock: Clock;
  readonly log: Log;
}

export interface RoomRouting {
  readonly tools: RoutedTools;
  readonly port: RoutingPort;
  stop(): void;
}

/** Calls under way when a room is closed are waited for so long, ms: most answers come within it. */
export const DRAIN_MS = 1000;

/** Wires the router of a room's peer: who is there, who holds what, what is counted. */
export function createRoomRouting(options: RoomRoutingOptions): RoomRouting {
  const { room, self, registry, local, mesh, replica, condition, metrics, clock, log } = options;
  const places = createRoomPlaces({ self, local, remotes: mesh, condition });
  let holders: ReadonlyMap<string, ReadonlySet<DeviceId>> | null = null;
  const tools = createRoutedTools({
    places,
    clock,
    load: async () => {
      const { createRouter } = await import('../../tools/routing/router.ts');
      return createRouter({
        room,
        places,
        local,
        remotes: mesh,
        clock,
        log,
        book: metrics.made,
        holders: (cid) => (holders ??= holdersOf(replica)).get(cid),
        random: Math.random,
      });
    },
  });
  metrics.health.register('mesh', () => connectionHealth(mesh.connection()));
  metrics.health.register('storage', async () => {
    await options.store.get('format/room');
    return undefined;
  });
  const unsubscribe = [
    replica.subscribe(() => {
      holders = null;
      tools.forgetAnswers();
    }),
    whenAnybodyIsHere(mesh, () => {
      // loaded while the relay that serves it is sure to be there: calls work without it later
      tools.warm().catch((error: unknown) => {
        log.warn('router not loaded yet', { reason: toTabmeshError(error).message });
      });
    }),
  ];
  return {
    tools,
    port: {
      explain: (request) => tools.plan(request),
      resetBreakers: (peer, tool) => tools.resetBreakers(peer, tool),
      report: async (signal) => {
        const [counted, { counts, breakers }] = await Promise.all([metrics.report(signal), tools.status()]);
        return { ...counted, router: counts, breakers, registry: registry.statistics() };
      },
    },
    stop() {
      for (const off of unsubscribe) off();
    },
  };
}

/** Which devices list a dataset, by the CIDs of its data and of its manifest. */
function holdersOf(replica: Replica): ReadonlyMap<string, ReadonlySet<DeviceId>> {
  const found = new Map<string, Set<DeviceId>>();
  for (const { device, datasets } of Object.values(replica.state().devices)) {
    for (const { data, manifest } of Object.values(datasets)) {
      for (const cid of [data, manifest]) {
        const devices = found.get(cid);
        if (devices === undefined) found.set(cid, new Set([device]));
        else devices.add(device);
      }
    }
  }
  return found;
}

function whenAnybodyIsHere(mesh: RoomMesh, action: () => void): () => void {
  let told = false;
  return mesh.subscribe(() => {
    if (told || mesh.list().length === 0) return;
    told = true;
    action();
  });
}

function connectionHealth(connection: Connection): Finding {
  switch (connection.state) {
    case 'direct':
    case 'relayed':
      return { status: 'healthy', message: `members are linked, ${connection.state}` };
    case 'starting':
      return { status: 'unknown', message: connection.message };
    case 'alone':
      return { status: 'warning', message: 'nobody else is here' };
    case 'refused':
    case 'offline':
      return { status: 'critical', message: connection.message };
  }
}
