import { base58btc } from 'multiformats/bases/base58';
import type { TokenInfo } from '../../../contracts/access.ts';
import type { Subject } from '../../../contracts/grants.ts';
import type { MeshPeer, RoomMember } from '../../../contracts/mesh.ts';
import { keyFromDid } from '../../../lib/did-key.ts';
import type { DeviceId } from '../../../lib/ids.ts';
import { shortenMiddle } from '../../ui/format.ts';
import { visibleText } from '../text/visible-text.ts';

/**
 * What stands before the key in a peer id of an Ed25519 key: an identity multihash of 36 bytes, of a protobuf with key type
 * and 32 bytes of key (libp2p specs, peer-ids §"Keys").
 */
const PEER_ID_PREFIX = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20] as const;
const TOKEN_PREFIX = 'urn:tabmesh:token:';

/** The device whose key a did names; null for what names none. */
export function deviceOf(subject: Subject): DeviceId | null {
  const key = keyFromDid(subject);
  if (key === undefined) return null;
  return base58btc.encode(Uint8Array.of(...PEER_ID_PREFIX, ...key)).slice(1) as DeviceId;
}

/** How grants name a token: by its relay's device and its own id. */
export function tokenSubject(relay: Pick<MeshPeer, 'device'>, token: Pick<TokenInfo, 'id'>): Subject {
  return `${TOKEN_PREFIX}${relay.device}:${token.id}`;
}

/** Somebody whom a grant can be for. */
export interface Candidate {
  /** what the request names */
  readonly value: Subject | DeviceId;
  readonly label: string;
}

/** Devices of the room, without this one and those that were put out. */
export function deviceCandidates(members: readonly RoomMember[]): readonly Candidate[] {
  return members
    .filter(({ self, role }) => !self && role !== 'blocked')
    .map(({ device, name, online }) => ({ value: device, label: visibleText(name) + (online ? '' : ' (away)') }));
}

/** What a subject is called here; its own name, shortened, when nothing is known of it. */
export function subjectName(
  subject: Subject,
  members: readonly Pick<RoomMember, 'device' | 'name' | 'self'>[],
  tokens: readonly Candidate[],
): string {
  const token = tokens.find(({ value }) => value === subject);
  if (token !== undefined) return token.label;
  const device = deviceOf(subject);
  const member = members.find((one) => one.device === device);
  if (member !== undefined) return member.self ? 'this device' : visibleText(member.name);
  if (subject.startsWith(TOKEN_PREFIX)) return `a token (${shortenMiddle(subject.split(':').at(-1) ?? '')})`;
  return visibleText(shortenMiddle(subject, 16, 6));
}
