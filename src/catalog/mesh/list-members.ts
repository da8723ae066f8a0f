import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { membersToWire } from '../members.ts';
import { memberList } from '../schemas.ts';

/** Answered from what the peer knows, without asking anybody. */
const TIMEOUT_MS = 5000;

/** List members. */
export const listMembers = defineTool({
  name: 'list_members',
  category: 'mesh',
  title: 'List members',
  description:
    'Lists the devices that belong to the room: who made it, who else owns it, members, blocked ones, and who of them is here, and whose history is two since the device was copied. Use it to find a device id for block_device or appoint_owner.',
  access: 'read',
  runtime: 'auto',
  schemaVersion: '1.1',
  idempotent: true,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({}),
  output: memberList,
  run: ({ ports }) => Promise.resolve(membersToWire(ports.members.list())),
});
