import { bytesToHex } from '@noble/hashes/utils.js';
import { base32 } from 'multiformats/bases/base32';
import { base64, base64url } from 'multiformats/bases/base64';

/** The ways in which bytes are commonly written; what a report must not hold of a secret. */
export function spellings(secret: Uint8Array): readonly string[] {
  return [bytesToHex(secret), base64.baseEncode(secret), base64url.baseEncode(secret), base32.baseEncode(secret)];
}
