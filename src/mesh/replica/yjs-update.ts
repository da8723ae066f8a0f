import * as lib0 from 'lib0/decoding';
import type { Decoder } from 'lib0/decoding';
import { MAX_VALUE_DEPTH } from './limits.ts';

/** What an update adds to a document. */
export interface UpdateStruct {
  /** for an item, what it stands after: another item (`client:clock`), or the beginning of a key; null for a gap filler */
  readonly after: string | null;
  /** the id of its last unit, `client:clock`: what the next item of the key stands after */
  readonly last: string;
}

export interface ReadUpdate {
  readonly structs: readonly UpdateStruct[];
  /** ranges that it deletes */
  readonly deletions: number;
}

/** Bits of an item's first byte (yjs `Item.write`). */
const CONTENT = 0b0001_1111;
const HAS_KEY = 0b0010_0000;
const HAS_RIGHT_ORIGIN = 0b0100_0000;
const HAS_ORIGIN = 0b1000_0000;
/** Content kinds (yjs `contentRefs`): all that setting and deleting plain values in maps makes. */
const GC = 0;
const DELETED = 1;
const ANY = 8;
/** Yjs counts in floats; sums of some of these stay exact. */
const MAX_CLOCK = 2 ** 40;

/**
 * Reads a Yjs update (v1) without building anything of it: Yjs itself would recurse as deep as the bytes say, and nothing
 * in it asks whether an update is one that a map of plain values makes.
 * @returns undefined for anything but whole updates that set and delete plain values in maps at a document's top
 * @see https://github.com/yjs/yjs/blob/main/src/utils/encoding.js
 */
export function readUpdate(update: Uint8Array): ReadUpdate | undefined {
  try {
    const decoder = lib0.createDecoder(update);
    const structs: UpdateStruct[] = [];
    for (let clients = readCount(decoder); clients > 0; clients--) readStructs(decoder, structs);
    let deletions = 0;
    for (let clients = readCount(decoder); clients > 0; clients--) deletions += skipDeletions(decoder);
    return lib0.hasContent(decoder) ? undefined : { structs, deletions };
  } catch {
    // the question is whether it can be read
    return undefined;
  }
}

function readStructs(decoder: Decoder, into: UpdateStruct[]): void {
  const count = readCount(decoder);
  const client = readCount(decoder);
  let clock = readCount(decoder);
  for (let n = 0; n < count; n++) {
    const info = readByte(decoder);
    const { after, length } = info === GC ? { after: null, length: readCount(decoder) } : readItem(decoder, info);
    if (length === 0) throw malformed();
    clock += length;
    into.push({ after, last: `${client}:${clock - 1}` });
  }
}

function readItem(decoder: Decoder, info: number): { after: string; length: number } {
  // what comes before another item was put beside it at the same time: a log has one writer
  if ((info & HAS_RIGHT_ORIGIN) !== 0) throw malformed();
  const after = (info & HAS_ORIGIN) === 0 ? readKey(decoder, info) : readId(decoder);
  switch (info & CONTENT) {
    case DELETED:
      return { after, length: readCount(decoder) };
    case ANY:
      // a key has one value
      if (readCount(decoder) !== 1) throw malformed();
      skipValue(decoder, 0);
      return { after, length: 1 };
    default:
      throw malformed();
  }
}

/** Of the first item of a key: map and key. */
function readKey(decoder: Decoder, info: number): string {
  const inMapAtTop = readCount(decoder) === 1 && (info & HAS_KEY) !== 0;
  if (!inMapAtTop) throw malformed();
  return JSON.stringify([lib0.readVarString(decoder), lib0.readVarString(decoder)]);
}

const readId = (decoder: Decoder) => `${readCount(decoder)}:${readCount(decoder)}`;

function skipDeletions(decoder: Decoder): number {
  readCount(decoder);
  const count = readCount(decoder);
  for (let n = 0; n < count; n++) {
    readCount(decoder);
    readCount(decoder);
  }
  return count;
}

/** A value in lib0's `any` encoding. */
function skipValue(decoder: Decoder, depth: number): void {
  if (depth > MAX_VALUE_DEPTH) throw malformed();
  const tag = readByte(decoder);
  switch (tag) {
    case 127: // undefined
    case 126: // null
    case 121: // false
    case 120: // true
      return;
    case 125:
      lib0.readVarInt(decoder);
      return;
    case 124:
      lib0.readFloat32(decoder);
      return;
    case 123:
    case 122: // bigint, as long
      lib0.readFloat64(decoder);
      return;
    case 119:
      lib0.readVarString(decoder);
      return;
    case 118:
      for (let left = readCount(decoder); left > 0; left--) {
        lib0.readVarString(decoder);
        skipValue(decoder, depth + 1);
      }
      return;
    case 117:
      for (let left = readCount(decoder); left > 0; left--) skipValue(decoder, depth + 1);
      return;
    case 116:
      lib0.readVarUint8Array(decoder);
      return;
    default:
      throw malformed();
  }
}

/** A number that stays exact in sums. Every one of them takes a byte at least, so loops over them end with the bytes. */
function readCount(decoder: Decoder): number {
  const count = lib0.readVarUint(decoder);
  if (count > MAX_CLOCK) throw malformed();
  return count;
}

function readByte(decoder: Decoder): number {
  if (!lib0.hasContent(decoder)) throw malformed();
  return lib0.readUint8(decoder);
}

const malformed = () => new Error('malformed');
