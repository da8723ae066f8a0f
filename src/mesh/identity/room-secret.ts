import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { base32 } from 'multiformats/bases/base32';
import type { RoomOrigin } from '../../contracts/mesh.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { DeviceId, RoomId } from '../../lib/ids.ts';
import { statementBytes } from './signed.ts';

const ROOM_ID_BYTES = 16;
/** As long as the hash that stretches it: guessing the secret is no easier than guessing a key. */
export const ROOM_SECRET_BYTES = 32;
export const ROOM_SALT_BYTES = 16;
const ROOM_DOMAIN = 'tabmesh/room/1';
const KEY_BYTES = 32;
const TOPIC_BYTES = 20;

/** What makes a device a member. `epoch` grows when a room changes its secret. */
export interface RoomSecret {
  readonly room: RoomId;
  readonly epoch: number;
  readonly secret: Uint8Array;
}

/** What is derived from the secret; none of it leads back to the secret, or to another. */
export interface RoomKeys {
  /** HMAC key of the membership proof */
  readonly joinProof: Uint8Array;
  /** the name under which members find each other at a relay that does not know the room; base32 */
  readonly rendezvous: string;
}

/** A new room with a new secret, owned by `owner`. */
export function createRoomSecret(owner: DeviceId): RoomSecret & { readonly origin: RoomOrigin } {
  const origin = { owner, salt: crypto.getRandomValues(new Uint8Array(ROOM_SALT_BYTES)) };
  return { room: roomIdOf(origin), origin, epoch: 1, secret: newRoomSecretBytes() };
}

/** The secret of a new epoch. */
export const newRoomSecretBytes = (): Uint8Array => crypto.getRandomValues(new Uint8Array(ROOM_SECRET_BYTES));

/** The id of the room that `origin` made: the first 16 bytes of a SHA-256, so that a room has one owner by construction. */
export function roomIdOf({ owner, salt }: RoomOrigin): RoomId {
  return roomIdFromBytes(sha256(statementBytes(ROOM_DOMAIN, { owner, salt })).subarray(0, ROOM_ID_BYTES));
}

/**
 * The keys of a room: HKDF-SHA-256 (RFC 5869), salted with the room id, one `info` for each use and epoch.
 * @throws `invalid_input` for a secret of another length
 */
export function deriveRoomKeys({ room, epoch, secret }: RoomSecret): RoomKeys {
  if (secret.byteLength !== ROOM_SECRET_BYTES) {
    throw new TabmeshError('invalid_input', `a room secret has ${ROOM_SECRET_BYTES} bytes`);
  }
  const derive = (use: string, bytes: number) =>
    hkdf(sha256, secret, utf8ToBytes(room), utf8ToBytes(`tabmesh/${use}/1/epoch/${epoch}`), bytes);
  return {
    joinProof: derive('join-proof', KEY_BYTES),
    rendezvous: base32.baseEncode(derive('rendezvous', TOPIC_BYTES)),
  };
}

/** @param bytes 16 bytes. @throws `invalid_input` for another number */
export function roomIdFromBytes(bytes: Uint8Array): RoomId {
  if (bytes.byteLength !== ROOM_ID_BYTES) throw invalidRoomId();
  return base32.baseEncode(bytes) as RoomId;
}

/** The bytes of a room id. @throws `invalid_input` when it is not the one way to write 16 bytes in base32 */
export function roomIdToBytes(room: string): Uint8Array {
  let bytes;
  try {
    bytes = base32.baseDecode(room);
  } catch {
    // the decoder's message would name its alphabet, not the room
    throw invalidRoomId();
  }
  if (roomIdFromBytes(bytes) !== room) throw invalidRoomId();
  return bytes;
}

function invalidRoomId(): TabmeshError {
  return new TabmeshError('invalid_input', `a room id is ${ROOM_ID_BYTES} bytes in lower-case base32`);
}
