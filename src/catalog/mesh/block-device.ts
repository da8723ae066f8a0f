import type { DeviceId } from '../../lib/ids.ts';
import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { deviceId } from '../fields.ts';
import { membersToWire } from '../members.ts';
import { memberList } from '../schemas.ts';

/** A list is signed and stored; members learn of it afterwards. */
const TIMEOUT_MS = 10_000;

/** Block a device. */
export const blockDevice = defineTool({
  name: 'block_device',
  category: 'mesh',
  title: 'Block a device',
  description:
    'Puts a device out of the room: its links are cut, and the room gets a new secret that it cannot have. What it has fetched already stays with it. Only a device that owns the room can do it.',
  access: 'admin',
  runtime: 'auto',
  schemaVersion: '1.1',
  idempotent: false,
  destructive: true,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({ device: deviceId('the device to put out') }),
  output: memberList,
  run: async ({ ports }, { device }) => {
    await ports.members.block(device as DeviceId);
    return membersToWire(ports.members.list());
  },
});
