import type { RoomOrigin } from '../../contracts/mesh.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { DeviceId, RoomId } from '../../lib/ids.ts';
import { hasExactly, isPlainMap } from '../../lib/strict-map.ts';
import { isDeviceId, publicKeyOf } from '../identity/device-id.ts';
import type { DeviceKey } from '../identity/device-key.ts';
import { SIGNATURE_BYTES, statementBytes } from '../identity/signed.ts';

const DOMAIN = 'tabmesh/owners/1';
/** Each of them can put every other device out; a handful of people decides such things. */
export const MAX_APPOINTED = 16;

/** The devices that may act for a room's maker. Signed by the maker alone, so that no appointed one can appoint itself again. */
export interface Owners {
  /** grows with every change; a statement of a lower reign is void */
  readonly reign: number;
  readonly appointed: readonly DeviceId[];
  readonly signature: Uint8Array;
}

/** The maker's word on who else owns the room. @param reign higher than that of the last one */
export async function signOwners(
  maker: DeviceKey,
  room: RoomId,
  reign: number,
  appointed: readonly DeviceId[],
): Promise<Owners> {
  const listed = [...new Set(appointed)].sort();
  return { reign, appointed: listed, signature: await maker.privateKey.sign(statement(room, reign, listed)) };
}

/** Checks a statement that came from anywhere. @throws `unauthorized` when the room's maker did not sign it */
export async function verifyOwners(value: unknown, origin: RoomOrigin, room: RoomId): Promise<Owners> {
  if (!isPlainMap(value) || !hasExactly(value, ['reign', 'appointed', 'signature'])) throw refused('it cannot be read');
  const { reign, appointed, signature } = value;
  if (!Number.isSafeInteger(reign) || (reign as number) < 1) throw refused('it has no reign');
  if (!Array.isArray(appointed) || appointed.length > MAX_APPOINTED || !appointed.every(isDeviceId)) {
    throw refused(`it must name at most ${MAX_APPOINTED} devices`);
  }
  if (!(signature instanceof Uint8Array) || signature.byteLength !== SIGNATURE_BYTES) throw refused('it is not signed');
  const owners = { reign: reign as number, appointed, signature };
  if (!(await publicKeyOf(origin.owner).verify(statement(room, owners.reign, appointed), signature))) {
    throw refused('the maker of the room did not sign it');
  }
  return owners;
}

const statement = (room: RoomId, reign: number, appointed: readonly DeviceId[]) =>
  statementBytes(DOMAIN, { room, reign, appointed: [...appointed] });

function refused(why: string): TabmeshError {
  return new TabmeshError('unauthorized', `the list of owners is refused: ${why}`);
}
