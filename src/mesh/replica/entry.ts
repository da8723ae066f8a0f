import { encode } from '@ipld/dag-cbor';
import { sha256 } from '@noble/hashes/sha2.js';
import type { SignedUpdate } from '../../contracts/replica.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { RoomId } from '../../lib/ids.ts';
import { decodeMap, hasExactly } from '../../lib/strict-map.ts';
import { isDeviceId, publicKeyOf } from '../identity/device-id.ts';
import type { DeviceKey } from '../identity/device-key.ts';
import { SIGNATURE_BYTES, statementBytes } from '../identity/signed.ts';
import {
  MAX_ENTRIES_PER_AUTHOR,
  MAX_ENTRY_BYTES,
  MAX_EPOCH,
  MAX_SNAPSHOT_ENTRIES,
  MAX_UPDATE_BYTES,
} from './limits.ts';

const DOMAIN = 'tabmesh/replica/1';
const VERSION = 2;
const HASH_BYTES = 32;
const FIELDS_1 = ['version', 'author', 'epoch', 'seq', 'prev', 'update', 'signature'];
const FIELDS = [...FIELDS_1, 'snapshot'];

/** `prev` of the first entry of an epoch. */
export const GENESIS: Uint8Array = new Uint8Array(HASH_BYTES);

/** What an author writes into the next entry of its log. */
export type EntryFields = Pick<SignedUpdate, 'epoch' | 'seq' | 'prev' | 'update'> & {
  /** as {@link SignedUpdate.snapshot}; 0 when left out */
  readonly snapshot?: number;
};

/** Signs an entry for one room. @throws `payload_too_large` for an update over {@link MAX_UPDATE_BYTES} */
export async function signEntry(author: DeviceKey, room: RoomId, fields: EntryFields): Promise<SignedUpdate> {
  if (fields.update.byteLength > MAX_UPDATE_BYTES) {
    throw new TabmeshError('payload_too_large', `an update of ${fields.update.byteLength} bytes`, {
      hint: `Write it in parts of at most ${MAX_UPDATE_BYTES} bytes.`,
    });
  }
  const unsigned = { version: VERSION, author: author.id, snapshot: 0, ...fields } as const;
  const signature = await author.privateKey.sign(signedBytes(unsigned, room));
  // on Node the signature is a Buffer
  return { ...unsigned, signature: Uint8Array.from(signature) };
}

/** True when the author signed exactly this entry for exactly this room. */
export async function verifyEntry(entry: SignedUpdate, room: RoomId): Promise<boolean> {
  return await publicKeyOf(entry.author).verify(signedBytes(entry, room), entry.signature);
}

/** SHA-256 of the bytes that are signed: what the next entry names as `prev`. */
export function entryHash(entry: SignedUpdate, room: RoomId): Uint8Array {
  return sha256(signedBytes(entry, room));
}

/** The form in which entries are stored and sent. */
export function encodeEntry(entry: SignedUpdate): Uint8Array {
  return encode({ ...statementOf(entry), signature: entry.signature });
}

/**
 * Reads an entry; says nothing about its signature.
 * @throws `protocol_error` for anything but an entry within the bounds
 */
export function decodeEntry(bytes: Uint8Array): SignedUpdate {
  const fields = bytes.byteLength > MAX_ENTRY_BYTES ? undefined : decodeMap(bytes);
  if (fields === undefined) throw malformed('not an entry');
  const { version, author, epoch, seq, prev, update, signature } = fields;
  if (version !== 1 && version !== VERSION) throw malformed('an entry of another version');
  if (!hasExactly(fields, version === 1 ? FIELDS_1 : FIELDS)) throw malformed('not an entry');
  const snapshot = version === 1 ? 0 : fields['snapshot'];
  if (!isDeviceId(author)) throw malformed('an entry without an author');
  if (!isBelow(epoch, MAX_EPOCH) || !isBelow(seq, MAX_ENTRIES_PER_AUTHOR)) throw malformed('an entry without a place');
  if (!isBelow(snapshot, MAX_SNAPSHOT_ENTRIES + 1)) throw malformed('an entry of too large a snapshot');
  if (!isBytes(prev, HASH_BYTES) || prev.byteLength !== HASH_BYTES) throw malformed('an entry without its link');
  if (!isBytes(update, MAX_UPDATE_BYTES)) throw malformed('an entry without an update');
  if (!isBytes(signature, SIGNATURE_BYTES) || signature.byteLength !== SIGNATURE_BYTES) throw malformed('not signed');
  // decoded bytes are views of the whole message, and would keep it in memory
  const copied = { prev: prev.slice(), update: update.slice(), signature: signature.slice() };
  const entry: SignedUpdate = { version, author, epoch, seq, snapshot, ...copied };
  if (!beginsRightly(entry)) throw malformed('an entry without its beginning');
  return entry;
}

/** Whether an entry says of the beginning of its epoch what its place allows: nothing before the first, no snapshot after it. */
export function beginsRightly({ seq, snapshot, prev }: SignedUpdate): boolean {
  return seq === 0 ? prev.every((byte) => byte === 0) : snapshot === 0;
}

function signedBytes(entry: Omit<SignedUpdate, 'signature'>, room: RoomId): Uint8Array {
  return statementBytes(DOMAIN, { ...statementOf(entry), room });
}

function statementOf(entry: Omit<SignedUpdate, 'signature'>): Record<string, unknown> {
  const { version, author, epoch, seq, snapshot, prev, update } = entry;
  return { version, author, epoch, seq, prev, update, ...(version === 1 ? {} : { snapshot }) };
}

const isBelow = (value: unknown, limit: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < limit;

const isBytes = (value: unknown, limit: number): value is Uint8Array =>
  value instanceof Uint8Array && value.byteLength <= limit;

function malformed(what: string): TabmeshError {
  return new TabmeshError('protocol_error', `replica: ${what}`);
}
