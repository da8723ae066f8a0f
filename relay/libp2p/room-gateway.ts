import type { RoomId } from '../../src/lib/ids.ts';
import type { HeadlessRoom } from '../../src/peer/node/start-room.ts';
import type { RoomGateway, Rooms } from '../rooms.ts';
import { roomMcp } from './room-mcp.ts';

/** The rooms that the HTTP side is shown: the one of which this process is a member, or none. */
export function roomsOf(room: RoomId | null, headless: HeadlessRoom | undefined): Rooms {
  const gateway = headless === undefined || room === null ? undefined : roomGateway(room, headless);
  return {
    default: gateway,
    byId: (id) => (gateway?.room === id ? gateway : undefined),
    all: () => (gateway === undefined ? [] : [gateway]),
  };
}

function roomGateway(room: RoomId, headless: HeadlessRoom): RoomGateway {
  const { members, mesh, runs, tools } = headless.room;
  return {
    room,
    self: headless.peer,
    tools,
    admits: (device) => members.admits(device),
    watchMembers: (listener) => members.subscribe(listener),
    peers: () => mesh.peers(),
    runs: () => runs.list(),
    watchRuns: (listener) => runs.subscribe(listener),
    mcp: roomMcp(headless),
  };
}
