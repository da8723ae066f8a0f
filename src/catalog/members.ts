import type { RoomMemberList } from '../contracts/mesh.ts';
import type * as z from '../tools/zod.ts';
import type { memberList } from './schemas.ts';

/** The wire form of who belongs to a room. */
export function membersToWire({ epoch, canManage, members }: RoomMemberList): z.output<typeof memberList> {
  return { epoch, can_manage: canManage, members: members.map((member) => ({ ...member })) };
}
