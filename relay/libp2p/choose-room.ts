import type { KeyValueStore } from '../../src/contracts/kv.ts';
import type { Invite } from '../../src/contracts/mesh.ts';
import type { DeviceId } from '../../src/lib/ids.ts';
import { parseInvite } from '../../src/mesh/identity/invite.ts';
import { createRoomSecret } from '../../src/mesh/identity/room-secret.ts';
import { createRoomsStore } from '../../src/mesh/identity/rooms-store.ts';
import type { RoomChoice } from '../config/parse.ts';

const OWN_ROOM = 'relay/room';
/** Shown in the app until its members think of a better one. */
const OWN_ROOM_NAME = 'Research room';

/**
 * The room to be a member of: the one made at first start, one joined by invite, or none.
 * @param owner of a room that is made now
 * @param multiaddrs of the relay that is made for it
 * @throws `invalid_input` when the text is no invite
 */
export async function chooseRoom(
  store: KeyValueStore,
  choice: RoomChoice,
  owner: DeviceId,
  multiaddrs: readonly string[],
): Promise<Invite | null> {
  switch (choice.kind) {
    case 'none':
      return null;
    case 'invite':
      return joinRoom(store, choice.invite);
    case 'own': {
      const rooms = createRoomsStore(store);
      const known = await store.get<Invite['room']>(OWN_ROOM);
      // the port or the public URL may be another one than last time
      if (known !== undefined) return { ...(await rooms.get(known)).invite, relays: multiaddrs };
      const secret = createRoomSecret(owner);
      const invite: Invite = { version: 2, ...secret, roomName: OWN_ROOM_NAME, relays: multiaddrs, access: {} };
      await rooms.put(invite);
      await store.put(OWN_ROOM, invite.room);
      return invite;
    }
  }
}

/** Reads an invite and remembers its room. @throws `invalid_input` when the text is none */
export async function joinRoom(store: KeyValueStore, text: string): Promise<Invite> {
  const invite = parseInvite(text);
  await createRoomsStore(store).put(invite);
  return invite;
}
