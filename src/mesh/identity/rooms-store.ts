import type { KeyValueStore } from '../../contracts/kv.ts';
import type { Invite } from '../../contracts/mesh.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { RoomId } from '../../lib/ids.ts';
import type { RoomSecret } from './room-secret.ts';

const PREFIX = 'rooms/';
const OPENED_PREFIX = 'rooms-opened/';

/** A room that this device has joined, with what it needs to open it again. */
export interface RememberedInvite {
  readonly invite: Invite;
  /** ms since the epoch; 0 when it was never opened */
  readonly openedAt: number;
}

type StoredInvite = Omit<Invite, 'version' | 'origin' | 'access'> & Partial<Pick<Invite, 'origin' | 'access'>>;

/** The rooms of this device. Each room has keys of its own in the store, so that tabs never write over each other's rooms. */
export interface RoomsStore {
  /** most recently opened first */
  list(): Promise<readonly RememberedInvite[]>;
  /** @throws `not_found` */
  get(room: RoomId): Promise<RememberedInvite>;
  has(room: RoomId): Promise<boolean>;
  /** remembers a room, or takes over a newer invite's secret, name and relays */
  put(invite: Invite): Promise<void>;
  /** takes over the secret of a new epoch. @throws `not_found` when the room has been forgotten meanwhile */
  renew(secret: RoomSecret): Promise<void>;
  /** @param at ms since the epoch */
  markOpened(room: RoomId, at: number): Promise<void>;
  /** deletes the room's secret; what it stored is deleted by whoever owns that storage */
  forget(room: RoomId): Promise<void>;
}

/** @param store the device's own store, its version checked by `loadDeviceKey` */
export function createRoomsStore(store: KeyValueStore): RoomsStore {
  const find = async (room: RoomId): Promise<RememberedInvite | undefined> => {
    const [invite, openedAt] = await Promise.all([
      store.get<StoredInvite>(PREFIX + room),
      store.get<number>(OPENED_PREFIX + room),
    ]);
    if (invite === undefined) return undefined;
    // of version 1, before rooms had owners and relays keys, when these fields are missing
    return {
      invite: { ...invite, version: 2, origin: invite.origin ?? null, access: invite.access ?? {} },
      openedAt: openedAt ?? 0,
    };
  };
  const get = async (room: RoomId): Promise<RememberedInvite> => {
    const found = await find(room);
    if (found !== undefined) return found;
    throw new TabmeshError('not_found', 'this device has not joined that room', { hint: 'Open its invite link.' });
  };
  const put = (invite: Invite) => store.put(PREFIX + invite.room, { ...invite, relays: [...invite.relays] });
  return {
    list: async () => {
      const keys = await store.keys(PREFIX);
      const rooms = await Promise.all(keys.map((key) => find(key.slice(PREFIX.length) as RoomId)));
      // another tab may forget a room between the two reads
      return rooms.filter((room) => room !== undefined).sort((a, b) => b.openedAt - a.openedAt);
    },
    get,
    has: async (room) => (await find(room)) !== undefined,
    put,
    renew: async ({ room, epoch, secret }) => put({ ...(await get(room)).invite, epoch, secret }),
    markOpened: (room, at) => store.put(OPENED_PREFIX + room, at),
    forget: (room) =>
      store.batch([
        { key: PREFIX + room, value: undefined },
        { key: OPENED_PREFIX + room, value: undefined },
      ]),
  };
}
