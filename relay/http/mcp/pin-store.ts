import { join } from 'node:path';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { RoomId } from '../../../src/lib/ids.ts';
import { isObject } from '../../../src/mesh/rpc/mcp-wire.ts';
import { readFileIfThere, writeFileAtomic } from '../../data-dir/atomic-file.ts';
import type { PinStore } from './pins.ts';

const FILE = 'tool-pins.json';
const VERSION = 1;

type RoomPins = Readonly<Record<string, string>>;

/**
 * Opens the pinned tool definitions of a data folder: one file, by room.
 * @param folder absolute; locked for this process
 * @returns the store of a room; it rejects with `format_newer`, or `corrupt` for a file that is none of ours
 */
export function openPinStores(folder: string): (room: RoomId) => Promise<PinStore> {
  const path = join(folder, FILE);
  let reading: Promise<Map<string, RoomPins>> | undefined;
  let writing: Promise<void> = Promise.resolve();
  return async (room) => {
    reading ??= readAll(path);
    const rooms = await reading;
    return {
      initial: rooms.get(room) ?? {},
      save: (pins) => {
        rooms.set(room, pins);
        // one after the other: the last state wins, not the last write
        const write = writing.then(() => writeAll(path, rooms));
        writing = write.catch(() => undefined);
        return write;
      },
    };
  };
}

async function readAll(path: string): Promise<Map<string, RoomPins>> {
  const text = await readFileIfThere(path);
  if (text === undefined) return new Map();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new TabmeshError('corrupt', `${FILE} is not JSON`, { cause });
  }
  if (!isObject(value) || !isObject(value['rooms'])) throw new TabmeshError('corrupt', `${FILE} is not ours`);
  if (value['version'] !== VERSION) {
    throw new TabmeshError('format_newer', `${FILE} is of another version`, { hint: 'Update this relay.' });
  }
  return new Map(Object.entries(value['rooms']).map(([room, pins]) => [room, readPins(pins)]));
}

function readPins(value: unknown): RoomPins {
  const entries = Object.entries(isObject(value) ? value : {});
  if (!entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')) {
    throw new TabmeshError('corrupt', `${FILE} has a pin that is no hash`);
  }
  return Object.fromEntries(entries);
}

async function writeAll(path: string, rooms: ReadonlyMap<string, RoomPins>): Promise<void> {
  try {
    await writeFileAtomic(path, JSON.stringify({ version: VERSION, rooms: Object.fromEntries(rooms) }));
  } catch (cause) {
    throw new TabmeshError('storage_failed', 'the accepted tool definitions could not be kept', { cause });
  }
}
