import type { Place, ToolMetadata } from '../../src/contracts/tools.ts';
import type { DeviceId, PeerId } from '../../src/lib/ids.ts';
import type { RemoteCallOptions, RemotePlace, RemotePlaces } from '../../src/tools/remote.ts';

export const peerId = (name: string): PeerId => name as PeerId;

export type Serve = (args: unknown, options: RemoteCallOptions) => Promise<unknown>;

/** A remote place of a test room and how it serves a call. */
export interface RoomPeer extends RemotePlace {
  readonly serve: Serve;
}

/** A remote peer that is near, direct and in view, and answers its own name, unless told otherwise. */
export function roomPeer(
  name: string,
  tools: readonly ToolMetadata[],
  overrides: Partial<Omit<RoomPeer, 'place'>> & { readonly kind?: Place['kind'] } = {},
): RoomPeer {
  const { kind = 'peer', ...rest } = overrides;
  return {
    place: { kind, peer: peerId(name), device: `device-${name}` as DeviceId, name },
    tools,
    direct: true,
    latencyMs: 10,
    visible: true,
    load: null,
    battery: null,
    serve: () => Promise.resolve({ text: name }),
    ...rest,
  };
}

/** The other peers of a test room; `calls` records who was asked, in order. */
export interface TestRemotes extends RemotePlaces {
  readonly calls: string[];
  set(peers: readonly RoomPeer[]): void;
}

export function testRemotes(...initial: readonly RoomPeer[]): TestRemotes {
  let peers = initial;
  const listeners = new Set<() => void>();
  const calls: string[] = [];
  return {
    calls,
    list: () => peers,
    call(peer, _tool, args, _principal, options) {
      calls.push(peer);
      const found = peers.find(({ place }) => place.peer === peer);
      if (found === undefined) throw new Error(`the router called ${peer}, which is not there`);
      return found.serve(args, options);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    set(next) {
      peers = next;
      for (const listener of listeners) listener();
    },
  };
}
