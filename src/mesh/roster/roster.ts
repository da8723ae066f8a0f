import { encode } from '@ipld/dag-cbor';
import { sha256 } from '@noble/hashes/sha2.js';
import type { RoomOrigin } from '../../contracts/mesh.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { DeviceId, RoomId } from '../../lib/ids.ts';
import { decodeMap, hasExactly } from '../../lib/strict-map.ts';
import { isDeviceId, publicKeyOf } from '../identity/device-id.ts';
import type { DeviceKey } from '../identity/device-key.ts';
import type { RoomSecret } from '../identity/room-secret.ts';
import { SIGNATURE_BYTES, statementBytes } from '../identity/signed.ts';
import type { Owners } from './owners.ts';
import { verifyOwners } from './owners.ts';

const VERSION = 1;
const DOMAIN = 'tabmesh/roster/1';
const COMMITMENT_DOMAIN = 'tabmesh/room-secret/1';
const FIELDS = ['version', 'epoch', 'owners', 'members', 'blocked', 'commitment', 'at', 'author', 'signature'];
/** As many as a replica has authors; twice, since who was put out stays named. */
const MAX_DEVICES = 1_000;
/** {@link MAX_DEVICES} members and as many blocked, at 55 bytes each, with owners and signatures. */
export const MAX_ROSTER_BYTES = 128 * 1024;
/** A change a minute for years. Whoever signs a higher one means to make it the last. */
const MAX_EPOCH = 1_000_000;

/**
 * Who belongs to a room from an epoch on. Made by an owner when it changes the room's secret; a device that is in
 * `members` and not in `blocked` may have the new secret.
 */
export interface Roster {
  readonly epoch: number;
  readonly owners: Owners;
  readonly members: readonly DeviceId[];
  readonly blocked: readonly DeviceId[];
  /** of the epoch's secret: a member cannot hand out another one */
  readonly commitment: Uint8Array;
  /** ms since the epoch, by its author's clock; for people */
  readonly at: number;
  readonly author: DeviceId;
}

/** A roster with its signed bytes: what is stored and passed on. */
export interface SignedRoster {
  readonly roster: Roster;
  readonly bytes: Uint8Array;
}

/** What pins an epoch's secret without telling it. */
export function commitmentOf({ room, epoch, secret }: RoomSecret): Uint8Array {
  return sha256(statementBytes(COMMITMENT_DOMAIN, { room, epoch, secret }));
}

/** Makes a roster of `draft`, signed by its author. */
export async function signRoster(
  author: DeviceKey,
  room: RoomId,
  draft: Omit<Roster, 'author'>,
): Promise<SignedRoster> {
  const roster: Roster = {
    ...draft,
    members: [...new Set(draft.members)].sort(),
    blocked: [...new Set(draft.blocked)].sort(),
    author: author.id,
  };
  if (roster.members.length > MAX_DEVICES || roster.blocked.length > MAX_DEVICES) {
    throw new TabmeshError('payload_too_large', `a room has at most ${MAX_DEVICES} devices`, {
      hint: 'Make a new room for those who still need it.',
    });
  }
  const signature = await author.privateKey.sign(statement(room, roster));
  return { roster, bytes: encode({ version: VERSION, ...wireFields(roster), signature }) };
}

/**
 * Reads a roster that came from anywhere.
 * @throws `format_newer`, or `unauthorized` when no owner of the room has signed it
 */
export async function verifyRoster(bytes: Uint8Array, origin: RoomOrigin, room: RoomId): Promise<SignedRoster> {
  const fields = bytes.byteLength > MAX_ROSTER_BYTES ? undefined : decodeMap(bytes);
  const version = fields?.['version'];
  if (typeof version === 'number' && version > VERSION) {
    throw new TabmeshError('format_newer', `a member list of version ${version}, this app reads ${VERSION}`, {
      hint: 'Update this app.',
    });
  }
  if (fields === undefined || version !== VERSION || !hasExactly(fields, FIELDS)) throw refused('it cannot be read');
  const { epoch, members, blocked, commitment, at, author, signature } = fields;
  if (!isEpoch(epoch) || !isTime(at)) throw refused('its epoch or time is out of bounds');
  if (!isDeviceList(members) || !isDeviceList(blocked)) throw refused(`it must list at most ${MAX_DEVICES} devices`);
  if (!(commitment instanceof Uint8Array) || commitment.byteLength !== sha256.outputLen)
    throw refused('it pins no secret');
  if (!isDeviceId(author)) throw refused('it names no author');
  if (!(signature instanceof Uint8Array) || signature.byteLength !== SIGNATURE_BYTES) throw refused('it is not signed');
  const owners = await verifyOwners(fields['owners'], origin, room);
  if (author !== origin.owner && !owners.appointed.includes(author)) throw refused('its author does not own the room');
  if (blocked.includes(origin.owner)) throw refused('it blocks the maker of the room');
  const roster: Roster = { epoch, owners, members, blocked, commitment, at, author };
  if (!(await publicKeyOf(author).verify(statement(room, roster), signature))) {
    throw refused('its author did not sign it');
  }
  return { roster, bytes };
}

/**
 * Whether `a` replaces `b`: the maker's later word on owners first, then the later epoch. Of two owners who changed the
 * secret at the same time one wins, the same one everywhere.
 */
export function supersedes(a: SignedRoster, b: SignedRoster | null): boolean {
  if (b === null) return true;
  if (a.roster.owners.reign !== b.roster.owners.reign) return a.roster.owners.reign > b.roster.owners.reign;
  if (a.roster.epoch !== b.roster.epoch) return a.roster.epoch > b.roster.epoch;
  return compareBytes(sha256(a.bytes), sha256(b.bytes)) < 0;
}

/** Whether a roster lets a device in. */
export function admits({ members, blocked }: Roster, device: DeviceId): boolean {
  return members.includes(device) && !blocked.includes(device);
}

const wireFields = ({ epoch, owners, members, blocked, commitment, at, author }: Roster) => ({
  epoch,
  owners: { reign: owners.reign, appointed: [...owners.appointed], signature: owners.signature },
  members: [...members],
  blocked: [...blocked],
  commitment,
  at,
  author,
});

const statement = (room: RoomId, roster: Roster) => statementBytes(DOMAIN, { room, ...wireFields(roster) });

const isEpoch = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= MAX_EPOCH;

const isTime = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const isDeviceList = (value: unknown): value is DeviceId[] =>
  Array.isArray(value) && value.length <= MAX_DEVICES && value.every(isDeviceId);

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.byteLength; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function refused(why: string): TabmeshError {
  return new TabmeshError('unauthorized', `the list of members is refused: ${why}`);
}
