import * as dagCbor from '@ipld/dag-cbor';
import { CID } from 'multiformats/cid';
import { create as multihash } from 'multiformats/hashes/digest';
import { sha256 } from 'multiformats/hashes/sha2';
import { MAX_BLOCK_BYTES } from '../contracts/dataset.ts';
import { addressOfDigest, digestOf } from '../lib/block-address.ts';
import { TabmeshError } from '../lib/errors.ts';
import type { CidString } from '../lib/ids.ts';

/** A block and its address. */
export interface Block {
  readonly cid: CidString;
  readonly bytes: Uint8Array;
}

/**
 * Encodes a value as a canonical dag-cbor block: map keys sorted, shortest integers, 64-bit floats, no `undefined`
 * (IPLD dag-cbor specification). Links are {@link link}s.
 * @returns the bytes and their address: CIDv1, dag-cbor, sha2-256
 * @throws `payload_too_large` above MAX_BLOCK_BYTES, `invalid_input` for a value that dag-cbor cannot hold
 */
export async function encodeBlock(value: unknown, what: string): Promise<Block> {
  const bytes = encode(value, what);
  checkSize(bytes.byteLength, what);
  return { cid: addressOfDigest(await sha256.encode(bytes)), bytes };
}

/**
 * Decodes a block that may come from anybody.
 * @throws `payload_too_large`; `corrupt` when the bytes do not hash to the address or are not strict dag-cbor
 */
export async function decodeBlock({ cid, bytes }: Block, what: string): Promise<unknown> {
  await verifyBlock({ cid, bytes }, what);
  try {
    return dagCbor.decode(bytes);
  } catch (cause) {
    // a stack overflow by deep nesting lands here too
    throw new TabmeshError('corrupt', `${what} ${cid} is not dag-cbor`, { cause });
  }
}

/**
 * Checks that bytes are what an address of ours names.
 * @throws `payload_too_large`, `corrupt`; `invalid_input` when `cid` is no CIDv1 of dag-cbor and sha2-256
 */
export async function verifyBlock({ cid, bytes }: Block, what: string): Promise<void> {
  checkSize(bytes.byteLength, `${what} ${cid}`);
  const named = digestOf(cid);
  if (named === undefined) throw notOurs(cid);
  const digest = await sha256.encode(bytes);
  if (!digest.every((byte, index) => byte === named[index])) {
    throw new TabmeshError('corrupt', `the bytes of ${what} ${cid} are not what its address says`, {
      hint: 'Delete this copy and fetch it again from another device.',
    });
  }
}

/**
 * Reads an address.
 * @throws `invalid_input` unless it is a CIDv1 of dag-cbor and sha2-256 in base32
 */
export function parseCid(text: string): CID {
  const digest = digestOf(text);
  if (digest === undefined) throw notOurs(text);
  return CID.createV1(dagCbor.code, multihash(sha256.code, digest));
}

/** The IPLD link to an address, for a value to be encoded. @throws `invalid_input` */
export function link(cid: CidString): CID {
  return parseCid(cid);
}

/** The address that a decoded value holds as an IPLD link; undefined when the value is none. */
export function asLink(value: unknown): CidString | undefined {
  const cid = CID.asCID(value);
  if (cid === null) return undefined;
  const { version, code, multihash: hash } = cid;
  const ours = version === 1 && code === dagCbor.code && hash.code === sha256.code && hash.size === SHA256_BYTES;
  return ours ? addressOfDigest(hash.digest) : (cid.toString() as CidString);
}

const SHA256_BYTES = 32;

function encode(value: unknown, what: string): Uint8Array {
  try {
    return dagCbor.encode(value);
  } catch (cause) {
    throw new TabmeshError('invalid_input', `${what} holds a value that cannot be stored`, { cause });
  }
}

function checkSize(size: number, what: string): void {
  if (size <= MAX_BLOCK_BYTES) return;
  throw new TabmeshError(
    'payload_too_large',
    `${what} has ${size} bytes, more than the ${MAX_BLOCK_BYTES} of a block`,
    {
      details: { size, limit: MAX_BLOCK_BYTES },
    },
  );
}

function notOurs(text: string): TabmeshError {
  const shown = text.length > 100 ? `${text.slice(0, 100)}…` : text;
  return new TabmeshError('invalid_input', `"${shown}" is not the address of a dataset or record`, {
    hint: 'Give a CID of version 1, as the app shows it: "bafyrei…".',
  });
}
