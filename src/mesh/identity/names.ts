import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { ADJECTIVES, NOUNS } from './name-words.ts';

/** Crockford's base32 in lower case: no letter that reads like a digit. */
const SUFFIX_ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
/** 30 bits beside the words: two devices of one room do not meet by chance. */
const SUFFIX_LENGTH = 6;
const DEGREES = 360;
/** Digest bytes: words and colour from these places, the suffix from the rest, so that they are independent. */
const ADJECTIVE_AT = 0;
const NOUN_AT = 2;
const HUE_AT = 4;
const SUFFIX_AT = 8;
/** Names kept: they are asked for with every call and every drawing, of the devices and peers of a few rooms. */
const MAX_KEPT = 1_024;

const kept = new Map<string, string>();

/**
 * A name to tell devices and peers apart by, the same wherever it is computed, e.g. `Amber Heron · 7f3k2q`.
 * @param id of a device or peer
 */
export function friendlyName(id: string): string {
  const known = kept.get(id);
  if (known !== undefined) return known;
  if (kept.size >= MAX_KEPT) kept.clear();
  const name = nameOf(id);
  kept.set(id, name);
  return name;
}

function nameOf(id: string): string {
  const digest = sha256(utf8ToBytes(id));
  const suffix = Array.from(digest.subarray(SUFFIX_AT, SUFFIX_AT + SUFFIX_LENGTH), (byte) =>
    SUFFIX_ALPHABET.charAt(byte % SUFFIX_ALPHABET.length),
  ).join('');
  return `${pick(ADJECTIVES, digest, ADJECTIVE_AT)} ${pick(NOUNS, digest, NOUN_AT)} · ${suffix}`;
}

/** The hue that goes with the name, in degrees, 0 to 359. */
export function hueOf(id: string): number {
  return uint16(sha256(utf8ToBytes(id)), HUE_AT) % DEGREES;
}

const pick = (words: readonly string[], digest: Uint8Array, at: number) =>
  words[uint16(digest, at) % words.length] ?? '';

const uint16 = (bytes: Uint8Array, at: number) => new DataView(bytes.buffer, bytes.byteOffset).getUint16(at);
