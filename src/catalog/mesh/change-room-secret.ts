import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { membersToWire } from '../members.ts';
import { memberList } from '../schemas.ts';

/** A list is signed and stored; members learn of it afterwards. */
const TIMEOUT_MS = 10_000;

/** Change the secret of the room. */
export const changeRoomSecret = defineTool({
  name: 'change_room_secret',
  category: 'mesh',
  title: 'Change the secret of the room',
  description:
    'Gives the room a new secret. Devices that belong to it get it by themselves, also those that are away now; every invite of before is void. Only a device that owns the room can do it.',
  access: 'admin',
  runtime: 'auto',
  schemaVersion: '1.1',
  idempotent: false,
  destructive: true,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({}),
  output: memberList,
  run: async ({ ports }) => {
    await ports.members.rotate();
    return membersToWire(ports.members.list());
  },
});
