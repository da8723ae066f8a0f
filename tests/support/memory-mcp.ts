import type { RoomMcp } from '../../relay/rooms.ts';
import type { McpProvider } from '../../src/contracts/mcp.ts';
import { TabmeshError } from '../../src/lib/errors.ts';
import type { DeviceId, PeerId } from '../../src/lib/ids.ts';
import { createToolProvider } from '../../src/mesh/rpc/mcp-tools.ts';
import { toolServing } from '../../src/mesh/rpc/mcp-server.ts';

const NO_TOOLS = createToolProvider({ list: () => [], call: () => Promise.reject(new Error('no tools')) }, () =>
  toolServing('relay', '0'),
);

/** MCP servers of a room in this process: a relay's own, and those of its peers. */
export function memoryMcp(own: McpProvider = NO_TOOLS, peers: ReadonlyMap<PeerId, McpProvider> = new Map()): RoomMcp {
  return {
    own,
    self: () => ({ kind: 'device', device: 'relay-device' as DeviceId, peer: '12D3KooWRelay' as PeerId }),
    peers: () => [...peers.keys()],
    async forward(peer, method, params, principal, { signal, onProgress, onNotification }) {
      const provider = peers.get(peer);
      if (provider === undefined) throw new TabmeshError('peer_unreachable', 'no link to this peer');
      if (method === 'server/discover') return { ...provider.discover() };
      return await provider.request(method, params, {
        principal,
        signal: signal ?? new AbortController().signal,
        notify: (name, told) => {
          if (name === 'notifications/progress') onProgress?.(told);
          else onNotification?.(name, told);
          return true;
        },
      });
    },
  };
}
