import type { DeviceId } from '../../lib/ids.ts';
import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { deviceId } from '../fields.ts';
import { membersToWire } from '../members.ts';
import { memberList } from '../schemas.ts';

/** A list is signed and stored; members learn of it afterwards. */
const TIMEOUT_MS = 10_000;

/** Appoint an owner. */
export const appointOwner = defineTool({
  name: 'appoint_owner',
  category: 'mesh',
  title: 'Appoint an owner',
  description:
    'Lets a device change the secret of the room and block others, as the one that made the room can. Only that one can do it.',
  access: 'admin',
  runtime: 'auto',
  schemaVersion: '1.1',
  idempotent: true,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({ device: deviceId('the device to appoint') }),
  output: memberList,
  run: async ({ ports }, { device }) => {
    await ports.members.appoint(device as DeviceId);
    return membersToWire(ports.members.list());
  },
});
