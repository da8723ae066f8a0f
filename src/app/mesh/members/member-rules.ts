import type { RoomMember, RoomMemberList } from '../../../contracts/mesh.ts';

/** Whether this device may put `member` out: an owner any member, the maker also other owners. */
export function mayBlock({ canManage, isMaker }: RoomMemberList, { role, self }: RoomMember): boolean {
  return canManage && !self && (role === 'member' || (role === 'owner' && isMaker));
}

/** Whether this device may let `member` in again. */
export function mayUnblock({ canManage }: RoomMemberList, { role }: RoomMember): boolean {
  return canManage && role === 'blocked';
}

/** Whether this device may make `member` an owner. */
export function mayAppoint({ isMaker }: RoomMemberList, { role }: RoomMember): boolean {
  return isMaker && role === 'member';
}

/** The device that made the room; undefined for a room of before rooms had owners. */
export function makerOf({ members }: RoomMemberList): RoomMember | undefined {
  return members.find(({ role }) => role === 'maker');
}
