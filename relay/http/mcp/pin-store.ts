import { join } from 'node:path';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { ToolDefinition } from '../../../src/contracts/definitions.ts';
import type { RoomId } from '../../../src/lib/ids.ts';
import { isObject } from '../../../src/mesh/rpc/mcp-wire.ts';
import { readFileIfThere, writeFileAtomic } from '../../data-dir/atomic-file.ts';
import type { PinNotes, PinStore } from './pins.ts';

const FILE = 'tool-pins.json';
const VERSION = 1;

type RoomPins = Readonly<Record<string, string>>;

/** Of one room. */
interface Kept {
  readonly pins: RoomPins;
  readonly notes?: PinNotes;
}

/**
 * Opens the pinned tool definitions of a data folder: one file, by room.
 * @param folder absolute; locked for this process
 * @returns the store of a room; it rejects with `format_newer`, or `corrupt` for a file that is none of ours
 */
export function openPinStores(folder: string): (room: RoomId) => Promise<PinStore> {
  const path = join(folder, FILE);
  let reading: Promise<Map<string, Kept>> | undefined;
  let writing: Promise<void> = Promise.resolve();
  /** a write that has not begun yet: it will write what is there then */
  let waiting: Promise<void> | undefined;
  return async (room) => {
    reading ??= readAll(path);
    const rooms = await reading;
    const { pins: initial = {}, notes } = rooms.get(room) ?? {};
    return {
      initial,
      ...(notes === undefined ? {} : { notes }),
      save: (pins, kept) => {
        rooms.set(room, { pins, ...(kept === undefined ? {} : { notes: kept }) });
        // one after the other: the last state wins, not the last write
        waiting ??= writing.then(() => {
          waiting = undefined;
          return writeAll(path, rooms);
        });
        writing = waiting.catch(() => undefined);
        return waiting;
      },
    };
  };
}

async function readAll(path: string): Promise<Map<string, Kept>> {
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
  const notes = isObject(value['notes']) ? value['notes'] : {};
  return new Map(
    Object.entries(value['rooms']).map(([room, pins]) => [
      room,
      { pins: readPins(pins), ...(notes[room] === undefined ? {} : { notes: readNotes(notes[room]) }) },
    ]),
  );
}

/** As much of them as can be read: they are for people, and no call depends on them. */
function readNotes(value: unknown): PinNotes {
  const { definitions, refused, devices } = isObject(value) ? value : {};
  const entries = (map: unknown) => Object.entries(isObject(map) ? map : {});
  return {
    definitions: Object.fromEntries(
      entries(definitions).filter((entry): entry is [string, ToolDefinition] => isDefinition(...entry)),
    ),
    refused: Object.fromEntries(entries(refused).filter(isText)),
    devices: Object.fromEntries(entries(devices).filter(isText)),
  };
}

function isText(entry: [string, unknown]): entry is [string, string] {
  return typeof entry[1] === 'string';
}

function isDefinition(tool: string, value: unknown): value is ToolDefinition {
  if (!isObject(value)) return false;
  const { name, description, inputSchema, outputSchema, annotations } = value;
  return name === tool && typeof description === 'string' && [inputSchema, outputSchema, annotations].every(isObject);
}

function readPins(value: unknown): RoomPins {
  const entries = Object.entries(isObject(value) ? value : {});
  if (!entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')) {
    throw new TabmeshError('corrupt', `${FILE} has a pin that is no hash`);
  }
  return Object.fromEntries(entries);
}

async function writeAll(path: string, kept: ReadonlyMap<string, Kept>): Promise<void> {
  const rooms = Object.fromEntries([...kept].map(([room, { pins }]) => [room, pins]));
  const notes = Object.fromEntries([...kept].map(([room, each]) => [room, each.notes]));
  try {
    await writeFileAtomic(path, JSON.stringify({ version: VERSION, rooms, notes }));
  } catch (cause) {
    throw new TabmeshError('storage_failed', 'the accepted tool definitions could not be kept', { cause });
  }
}
