import * as Y from 'yjs';
import { isPlainMap } from '../../lib/strict-map.ts';
import { MAX_SNAPSHOT_ENTRIES, SNAPSHOT_PART_BYTES } from './limits.ts';

/** A UTF-16 code unit takes at most so many bytes of UTF-8. */
const BYTES_PER_CODE_UNIT = 3;
/** Ids, lengths and the name of the map around a value. */
const BYTES_PER_ITEM = 64;

interface Item {
  readonly map: string;
  readonly key: string;
  readonly value: unknown;
  /** bytes that it takes in an update, at most */
  readonly size: number;
}

/**
 * Updates that make a new document of what is in these maps now. What was deleted or overwritten is not in them, nor a
 * trace of it.
 * @param maps all that are at the top of a document, by name
 * @returns undefined when they hold what a newer app wrote and this one could not carry over, or too much
 */
export function snapshotOf(maps: ReadonlyMap<string, Y.Map<unknown>>): readonly Uint8Array[] | undefined {
  const items: Item[] = [];
  for (const [map, values] of maps) {
    for (const [key, value] of values.entries()) {
      if (!isJson(value)) return undefined;
      const size = BYTES_PER_CODE_UNIT * (JSON.stringify(value).length + key.length + map.length) + BYTES_PER_ITEM;
      if (size > SNAPSHOT_PART_BYTES) return undefined;
      items.push({ map, key, value, size });
    }
  }
  const parts = inParts(items);
  if (parts.length > MAX_SNAPSHOT_ENTRIES) return undefined;
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  for (const part of parts) {
    doc.transact(() => {
      for (const { map, key, value } of part) doc.getMap(map).set(key, value);
    });
  }
  // a snapshot of nothing is one, too
  return updates.length > 0 ? updates : [Y.encodeStateAsUpdate(doc)];
}

function inParts(items: readonly Item[]): Item[][] {
  const parts: Item[][] = [];
  let left = 0;
  for (const item of items) {
    if (item.size > left) {
      parts.push([]);
      left = SNAPSHOT_PART_BYTES;
    }
    parts.at(-1)?.push(item);
    left -= item.size;
  }
  return parts;
}

function isJson(value: unknown): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isJson);
  return isPlainMap(value) && Object.values(value).every(isJson);
}
