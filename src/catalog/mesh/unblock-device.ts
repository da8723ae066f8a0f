import type { DeviceId } from '../../lib/ids.ts';
import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { deviceId } from '../fields.ts';
import { membersToWire } from '../members.ts';
import { memberList } from '../schemas.ts';

/** A list is signed and stored; members learn of it afterwards. */
const TIMEOUT_MS = 10_000;

/** Unblock a device. */
export const unblockDevice = defineTool({
  name: 'unblock_device',
  category: 'mesh',
  title: 'Unblock a device',
  description:
    'Lets a blocked device belong to the room again, with a new secret that it fetches by itself. Only a device that owns the room can do it.',
  access: 'admin',
  runtime: 'auto',
  schemaVersion: '1.1',
  idempotent: false,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({ device: deviceId('the device to let in again') }),
  output: memberList,
  run: async ({ ports }, { device }) => {
    await ports.members.unblock(device as DeviceId);
    return membersToWire(ports.members.list());
  },
});
