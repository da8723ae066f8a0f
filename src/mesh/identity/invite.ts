import { encode } from '@ipld/dag-cbor';
import { multiaddr } from '@multiformats/multiaddr';
import { sha256 } from '@noble/hashes/sha2.js';
import { base64url } from 'multiformats/bases/base64';
import type { Invite, InvitePreview, RoomOrigin } from '../../contracts/mesh.ts';
import { concatBytes } from '../../lib/bytes.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { RoomId } from '../../lib/ids.ts';
import { decodeMap, hasExactly, isPlainMap } from '../../lib/strict-map.ts';
import { isDeviceId } from './device-id.ts';
import { ROOM_SALT_BYTES, ROOM_SECRET_BYTES, roomIdFromBytes, roomIdOf, roomIdToBytes } from './room-secret.ts';

/** What an invite is in memory; one that names no relay on the word of members is written so, too. */
const VERSION = 2;
const VERSION_WITH_TOLD = 3;
const MARK = 'join=';
/** Of version 1, which knew neither owners nor relays with keys. */
const FIELDS_1 = ['v', 'room', 'epoch', 'secret', 'name', 'relays'];
const FIELDS_2 = [...FIELDS_1, 'origin', 'access'];
const FIELDS_3 = [...FIELDS_2, 'told'];
/** A link this long no longer fits a QR code that a phone reads; chats cut it too. */
const MAX_TEXT = 4096;
const MAX_ROOM_NAME = 80;
/** more addresses than one relay on a machine with many networks announces */
export const MAX_RELAYS = 8;
export const MAX_RELAY_LENGTH = 512;
/** As hard to guess as a key, and short in a QR code. */
export const ACCESS_KEY_BYTES = 16;
/**
 * In front of the fields: the first bytes of their SHA-256. A character that was lost or changed on the way would otherwise make
 * another secret, and with it a room of its own in which nobody is.
 */
const CHECK_BYTES = 4;
const BASE64URL = /^[A-Za-z0-9_-]+$/;

/**
 * The fragment of an invite link, `#join=…`. Put behind the app's address it is the whole link.
 * @throws `invalid_input` when a field is out of bounds
 */
export function encodeInvite(invite: Invite): string {
  const { told = [] } = invite;
  const fields = {
    v: told.length === 0 ? VERSION : VERSION_WITH_TOLD,
    room: roomIdToBytes(invite.room),
    epoch: invite.epoch,
    secret: invite.secret,
    name: invite.roomName,
    relays: [...invite.relays],
    origin: invite.origin === null ? null : { owner: invite.origin.owner, salt: invite.origin.salt },
    access: { ...invite.access },
    ...(told.length === 0 ? {} : { told: [...told] }),
  };
  readFields(fields);
  const body = encode(fields);
  const text = `#${MARK}${base64url.baseEncode(concatBytes([checkOf(body), body]))}`;
  if (text.length > MAX_TEXT) throw damaged('it is too long');
  return text;
}

/**
 * Reads an invite: a whole link, its fragment with or without `#`, or what follows `join=`.
 * @throws `invalid_input` when it is damaged or no invite, `format_newer` when a newer app made it
 */
export function parseInvite(text: string): Invite {
  const trimmed = text.trim();
  if (trimmed.length > MAX_TEXT) throw damaged('it is too long');
  const code = trimmed.slice(trimmed.lastIndexOf('#') + 1).replace(/^join=/, '');
  if (code === '') throw damaged('there is nothing behind "#join="');
  if (!BASE64URL.test(code)) throw damaged('it holds characters that no invite has');
  let fields;
  try {
    fields = decodeMap(checked(base64url.baseDecode(code)));
  } catch {
    // wrong number of characters: cut off, like bytes that do not decode
    fields = undefined;
  }
  if (fields === undefined) throw damaged('a part of it is missing or was changed');
  return readFields(fields);
}

function checkOf(body: Uint8Array): Uint8Array {
  return sha256(body).subarray(0, CHECK_BYTES);
}

/** The fields of an invite; one of before there was a check has nothing in front of them. */
function checked(bytes: Uint8Array): Uint8Array {
  const body = bytes.subarray(CHECK_BYTES);
  return checkOf(body).every((byte, at) => byte === bytes[at]) ? body : bytes;
}

/**
 * What a person is shown before joining.
 * @param known whether this device has joined the room before
 */
export function previewInvite(invite: Invite, known: boolean): InvitePreview {
  const relays = [...invite.relays, ...(invite.told ?? [])].map(hostOf);
  return { room: invite.room, roomName: invite.roomName, relays: [...new Set(relays)], known };
}

function readFields(fields: Readonly<Record<string, unknown>>): Invite {
  const version = fields['v'];
  if (!isCount(version)) throw damaged('it names no version');
  if (version > VERSION_WITH_TOLD) {
    throw new TabmeshError(
      'format_newer',
      `this invite is of version ${version}, this app reads ${VERSION_WITH_TOLD}`,
      {
        hint: 'Update this app.',
      },
    );
  }
  if (!hasExactly(fields, version === 1 ? FIELDS_1 : version === VERSION ? FIELDS_2 : FIELDS_3))
    throw damaged('a part of it is missing');
  const { room, epoch, secret, name, relays, origin = null, access = {}, told = [] } = fields;
  if (!(room instanceof Uint8Array)) throw damaged('it names no room');
  if (!isCount(epoch)) throw damaged('it names no epoch');
  if (!(secret instanceof Uint8Array) || secret.byteLength !== ROOM_SECRET_BYTES) throw damaged('it holds no secret');
  if (typeof name !== 'string' || name.length > MAX_ROOM_NAME) {
    throw damaged(`the name of the room must have at most ${MAX_ROOM_NAME} characters`);
  }
  if (!isRelays(relays) || !isRelays(told) || relays.length + told.length > MAX_RELAYS) {
    throw damaged(`it must name at most ${MAX_RELAYS} relays, each by an address with its peer id`);
  }
  if (!isAccess(access))
    throw damaged(`it must hold keys of ${ACCESS_KEY_BYTES} bytes for at most ${MAX_RELAYS} relays`);
  const id = readRoom(room);
  return {
    version: VERSION,
    room: id,
    origin: origin === null ? null : readOrigin(origin, id),
    epoch,
    secret: secret.slice(),
    roomName: name,
    relays,
    ...(told.length === 0 ? {} : { told }),
    access: Object.fromEntries(Object.entries(access).map(([peer, key]) => [peer, key.slice()])),
  };
}

function readOrigin(value: unknown, room: RoomId): RoomOrigin {
  const { owner, salt } = isPlainMap(value) ? value : {};
  if (!isDeviceId(owner) || !(salt instanceof Uint8Array) || salt.byteLength !== ROOM_SALT_BYTES) {
    throw damaged('it names no owner');
  }
  const origin = { owner, salt: salt.slice() };
  if (roomIdOf(origin) !== room) throw damaged('it names an owner that is not the one of this room');
  return origin;
}

function isAccess(value: unknown): value is Readonly<Record<string, Uint8Array>> {
  if (!isPlainMap(value)) return false;
  const entries = Object.entries(value);
  return (
    entries.length <= MAX_RELAYS &&
    entries.every(([peer, key]) => isDeviceId(peer) && key instanceof Uint8Array && key.byteLength === ACCESS_KEY_BYTES)
  );
}

function readRoom(bytes: Uint8Array): RoomId {
  try {
    return roomIdFromBytes(bytes);
  } catch (thrown) {
    throw damaged('it names no room', thrown);
  }
}

const isRelays = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(isRelayAddress);

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 1;

function isRelayAddress(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > MAX_RELAY_LENGTH) return false;
  try {
    return multiaddr(value)
      .getComponents()
      .some(({ name }) => name === 'p2p');
  } catch {
    // the question is whether it is an address
    return false;
  }
}

/** `relay.example.org:443` of a multiaddr. */
function hostOf(address: string): string {
  const parts = multiaddr(address).getComponents();
  const valueOf = (...names: string[]) => parts.find(({ name }) => names.includes(name))?.value;
  const host = valueOf('dns', 'dns4', 'dns6', 'dnsaddr', 'ip4') ?? bracketed(valueOf('ip6'));
  const port = valueOf('tcp', 'udp');
  if (host === undefined) return address;
  return port === undefined ? host : `${host}:${port}`;
}

const bracketed = (ip6: string | undefined) => (ip6 === undefined ? undefined : `[${ip6}]`);

function damaged(why: string, cause?: unknown): TabmeshError {
  return new TabmeshError('invalid_input', `this is not a whole invite: ${why}`, {
    hint: 'Copy the whole link again, or ask for a new one.',
    cause,
  });
}
