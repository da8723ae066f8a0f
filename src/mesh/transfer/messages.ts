import { encode } from '@ipld/dag-cbor';
import type { WireError } from '../../lib/errors.ts';
import { isWireError, TabmeshError } from '../../lib/errors.ts';
import type { CidString } from '../../lib/ids.ts';
import { decodeMap, hasExactly } from '../../lib/strict-map.ts';
import { fromPeer } from '../rpc/messages.ts';

/** The first byte of a frame. */
const KINDS = { get: 0, credit: 1, blocks: 2, end: 3, error: 4 } as const;

/** CIDs of ours have 59 characters; longer text names nothing here. */
const MAX_CID_CHARS = 128;

/** A number below 2^32, big-endian. */
const UINT32_BYTES = 4;

/** What the receiver says. */
export type Ask =
  | { readonly type: 'get'; readonly data: CidString; readonly offset: number; readonly window: number }
  | { readonly type: 'credit'; readonly bytes: number };

/** What the sender says. */
export type Answer =
  | { readonly type: 'blocks'; readonly blocks: readonly Uint8Array[] }
  | { readonly type: 'end' }
  | { readonly type: 'error'; readonly error: TabmeshError };

/**
 * Asks for the blocks of a dataset in the order of its tree.
 * @param offset blocks that are not to be sent: the receiver has them
 * @param window bytes that may be sent before more is granted
 */
export function encodeGet(data: CidString, offset: number, window: number): Uint8Array[] {
  return [Uint8Array.of(KINDS.get), encode({ v: 1, data, offset, window })];
}

/** Grants so many bytes more. */
export function encodeCredit(bytes: number): Uint8Array[] {
  return [Uint8Array.of(KINDS.credit), uint32(bytes)];
}

/** Blocks that follow each other, each behind its length. */
export function encodeBlocks(blocks: readonly Uint8Array[]): Uint8Array[] {
  // one buffer for all that is small: an allocation costs as much as copying a kilobyte
  const head = new Uint8Array(1 + UINT32_BYTES * blocks.length);
  const view = new DataView(head.buffer);
  head[0] = KINDS.blocks;
  const parts: Uint8Array[] = [head.subarray(0, 1)];
  for (const [index, block] of blocks.entries()) {
    const at = 1 + UINT32_BYTES * index;
    view.setUint32(at, block.byteLength);
    parts.push(head.subarray(at, at + UINT32_BYTES), block);
  }
  return parts;
}

/** Bytes that one more block of this size adds to a frame. */
export function encodedBlockBytes(block: Uint8Array): number {
  return UINT32_BYTES + block.byteLength;
}

/** There are no more. */
export function encodeEnd(): Uint8Array[] {
  return [Uint8Array.of(KINDS.end)];
}

/** There are none, and why. */
export function encodeError(error: WireError): Uint8Array[] {
  return [Uint8Array.of(KINDS.error), encode({ ...error, details: {} })];
}

/** @throws `protocol_error` */
export function decodeAsk(frame: Uint8Array): Ask {
  const body = frame.subarray(1);
  if (frame[0] === KINDS.credit && body.byteLength === UINT32_BYTES)
    return { type: 'credit', bytes: readUint32(body, 0) };
  const fields = frame[0] === KINDS.get ? decodeMap(body) : undefined;
  if (fields === undefined || !hasExactly(fields, ['v', 'data', 'offset', 'window'])) throw broken();
  const { v, data, offset, window } = fields;
  if (v !== 1 || typeof data !== 'string' || data.length > MAX_CID_CHARS || !isCount(offset) || !isCount(window)) {
    throw broken();
  }
  return { type: 'get', data: data as CidString, offset, window };
}

/** @throws `protocol_error` */
export function decodeAnswer(frame: Uint8Array): Answer {
  const body = frame.subarray(1);
  if (frame[0] === KINDS.blocks) return { type: 'blocks', blocks: cut(body) };
  if (frame[0] === KINDS.end && body.byteLength === 0) return { type: 'end' };
  const error = frame[0] === KINDS.error ? decodeMap(body) : undefined;
  if (!isWireError(error)) throw broken();
  return { type: 'error', error: fromPeer(error) };
}

function cut(body: Uint8Array): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  let at = 0;
  while (at < body.byteLength) {
    if (at + UINT32_BYTES > body.byteLength) throw broken();
    const from = at + UINT32_BYTES;
    at = from + view.getUint32(at);
    if (at > body.byteLength) throw broken();
    blocks.push(body.subarray(from, at));
  }
  return blocks;
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(UINT32_BYTES);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

function readUint32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function broken(): TabmeshError {
  return new TabmeshError('protocol_error', 'not a message of a transfer', {
    details: { token: 'payload_not_object' },
  });
}
