import { encode } from '@ipld/dag-cbor';
import type { Heads, SignedUpdate } from '../../contracts/replica.ts';
import { TabmeshError } from '../../lib/errors.ts';
import { decodeMap, hasExactly } from '../../lib/strict-map.ts';
import { decodeEntry, encodeEntry } from './entry.ts';
import { MAX_AUTHORS, MAX_BATCH_ENTRIES, MAX_MESSAGE_BYTES } from './limits.ts';

const VERSION = 1;
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
      const heads = Object.entries(message.heads).map(([author, { epoch, seq }]) => [author, epoch, seq]);
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

function readHeads(value: unknown): Heads {
  if (!Array.isArray(value) || value.length > MAX_AUTHORS) throw malformed('not heads');
  return Object.fromEntries(
    value.map((head: unknown) => {
      const [author, epoch, seq] = Array.isArray(head) && head.length === 3 ? (head as unknown[]) : [];
      if (typeof author !== 'string' || !AUTHOR.test(author)) throw malformed('a head without an author');
      if (!isCounter(epoch) || !isCounter(seq)) throw malformed('a head without a place');
      return [author, { epoch, seq }];
    }),
  );
}

const isCounter = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function malformed(what: string): TabmeshError {
  return new TabmeshError('protocol_error', `replica sync: ${what}`);
}
