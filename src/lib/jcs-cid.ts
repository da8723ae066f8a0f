import { sha256 } from '@noble/hashes/sha2.js';
import { CID } from 'multiformats/cid';
import { create as multihash } from 'multiformats/hashes/digest';
import { canonicalJson } from './canonical-json.ts';
import type { CidString } from './ids.ts';

const RAW = 0x55;
const SHA2_256 = 0x12;

const encoder = new TextEncoder();

/**
 * The name of a JSON value by its content (`mcpp-jcs-v1` of MCP++): CIDv1, raw codec, sha2-256 of its canonical form, in base32:
 * 59 characters that begin with `bafkrei`.
 * @throws `invalid_input` as `canonicalJson` does
 */
export function jcsCid(value: unknown): CidString {
  const digest = multihash(SHA2_256, sha256(encoder.encode(canonicalJson(value))));
  return CID.createV1(RAW, digest).toString() as CidString;
}
