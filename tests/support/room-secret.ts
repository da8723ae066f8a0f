import type { RoomId } from '../../src/lib/ids.ts';
import type { RoomSecret } from '../../src/mesh/identity/room-secret.ts';

/** The secret of a room that exists in tests only. */
export const ROOM_SECRET: RoomSecret = {
  room: 'aaaaaaaaaaaaaaaaaaaaaaaaaa' as RoomId,
  epoch: 1,
  secret: new Uint8Array(32).fill(7),
};
