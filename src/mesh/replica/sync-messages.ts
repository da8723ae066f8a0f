import { encode } from '@ipld/dag-cbor';
import type { Heads, LogPosition, SignedUpdate } from '../../contracts/replica.ts';
import { TabmeshError } from '../../lib/errors.ts';
import { decodeMap, hasExactly } from '../../lib/strict-map.ts';
import { decodeEntry, encodeEntry } from './entry.ts';
import { MAX_AUTHORS, MAX_BATCH_ENTRIES, MAX_DROPPED, MAX_MESSAGE_BYTES } from './limits.ts';

const VERSION = 2;
const HASH_BYTES = 32;
/** An author's id in the heads: base58 of an Ed25519 key. */
const AUTHOR = /^[1-9A-HJ-NP-Za-km-z]{52}$/;

export type SyncMessage =
  /** how far the sender has each log; what is beyond may be sent to it */
  | { readonly type: 'heads'; readonly heads: Heads }
  /** entries that the receiver lacks, in the order of their logs */
  | { readonly type: 'entries'; readonly entries: readonly SignedUpdate[] };

export function encodeSyncMessage(message: SyncMessage): Uint8Array {
  switch (message.type) {
    case 'heads': {
      const heads = Object.entries(message.heads).map(([author, position]) => [author, ...toTuple(position)]);
      return encode({ v: VERSION, type: 'heads', heads });
    }
    case 'entries':
      return encode({ v: VERSION, type: 'entries', entries: message.entries.map(encodeEntry) });
  }
}

/** @throws `protocol_error` for anything but a message within the bounds; signatures are not looked at */
export function decodeSyncMessage(bytes: Uint8Array): SyncMessage {
  if (bytes.byteLength > MAX_MESSAGE_BYTES) throw malformed('a message over the limit');
  const fields = decodeMap(bytes);
  if (fields?.['v'] !== VERSION) throw malformed('not a message of this version');
  const { heads, entries, type } = fields;
  if (type === 'heads' && hasExactly(fields, ['v', 'type', 'heads'])) return { type, heads: readHeads(heads) };
  if (type === 'entries' && hasExactly(fields, ['v', 'type', 'entries'])) {
    if (!Array.isArray(entries) || entries.length > MAX_BATCH_ENTRIES) throw malformed('too many entries');
    return {
      type,
      entries: entries.map((entry: unknown) => {
        if (!(entry instanceof Uint8Array)) throw malformed('not an entry');
        return decodeEntry(entry);
      }),
    };
  }
  throw malformed('an unknown message');
}

function toTuple({ epoch, seq, hash, fork, staged }: LogPosition): unknown[] {
  return [
    epoch,
    seq,
    hash ?? null,
    fork ?? null,
    staged === undefined ? null : [staged.epoch, staged.seq, staged.hash],
  ];
}

function readHeads(value: unknown): Heads {
  if (!Array.isArray(value) || value.length > MAX_AUTHORS + MAX_DROPPED) throw malformed('not heads');
  const heads = new Map<string, LogPosition>();
  for (const head of value as unknown[]) {
    const [author, ...position] = Array.isArray(head) ? (head as unknown[]) : [];
    if (typeof author !== 'string' || !AUTHOR.test(author)) throw malformed('a head without an author');
    if (heads.has(author)) throw malformed('two heads of an author');
    heads.set(author, readPosition(position));
  }
  return Object.fromEntries(heads);
}

function readPosition(tuple: readonly unknown[]): LogPosition {
  const [epoch, seq, hash, fork, staged] = tuple;
  const isBeforeFirst = seq === -1 && (fork !== null || staged !== null);
  if (tuple.length !== 5 || !isCounter(epoch) || !(isCounter(seq) || isBeforeFirst)) throw malformed('not a place');
  if (hash !== null && !isHash(hash)) throw malformed('not a hash');
  if (fork !== null && !isCounter(fork)) throw malformed('not the place of a fork');
  return {
    epoch,
    seq,
    ...(hash === null ? {} : { hash: hash.slice() }),
    ...(fork === null ? {} : { fork }),
    ...(staged === null ? {} : { staged: readStaged(staged) }),
  };
}

function readStaged(value: unknown): NonNullable<LogPosition['staged']> {
  const [epoch, seq, hash] = Array.isArray(value) && value.length === 3 ? (value as unknown[]) : [];
  if (!isCounter(epoch) || !isCounter(seq) || !isHash(hash)) throw malformed('not the place of a snapshot');
  return { epoch, seq, hash: hash.slice() };
}

const isHash = (value: unknown): value is Uint8Array => value instanceof Uint8Array && value.byteLength === HASH_BYTES;

const isCounter = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function malformed(what: string): TabmeshError {
  return new TabmeshError('protocol_error', `replica sync: ${what}`);
}
