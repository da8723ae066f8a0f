import type { HeadlessRoom } from '../../src/peer/node/start-room.ts';
import type { RoomMcp } from '../rooms.ts';

/** The MCP servers of a room, as this relay's peer reaches them. */
export function roomMcp({ room, peer }: HeadlessRoom): RoomMcp {
  const { mcp, mesh, replica } = room;
  return {
    own: mcp,
    self: () => ({ kind: 'device', device: replica.device, peer }),
    peers: () => mesh.list().map(({ place }) => place.peer),
    forward: (to, method, params, principal, options) => mesh.forward(to, method, params, principal, options),
  };
}
