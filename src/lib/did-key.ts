import { base58btc } from 'multiformats/bases/base58';

const PREFIX = 'did:key:';
/** Multicodec `ed25519-pub`, as a varint. */
const ED25519_PUB = [0xed, 0x01] as const;
const KEY_BYTES = 32;
/** `z` and 34 bytes in base58btc */
const MAX_CHARS = PREFIX.length + 64;

/** The did:key of a raw Ed25519 public key (W3C CCG, did:key method §3.1). */
export function didFromKey(publicKey: Uint8Array): string {
  return PREFIX + base58btc.encode(Uint8Array.of(...ED25519_PUB, ...publicKey));
}

/** The raw Ed25519 public key of a did:key; undefined when it is none, is of another kind, or is not written the one way. */
export function keyFromDid(did: string): Uint8Array | undefined {
  if (!did.startsWith(`${PREFIX}z`) || did.length > MAX_CHARS) return undefined;
  let bytes;
  try {
    bytes = base58btc.decode(did.slice(PREFIX.length));
  } catch {
    // characters that base58 does not have: none, like everything else that is none
    return undefined;
  }
  if (bytes.byteLength !== ED25519_PUB.length + KEY_BYTES) return undefined;
  if (bytes[0] !== ED25519_PUB[0] || bytes[1] !== ED25519_PUB[1]) return undefined;
  const key = bytes.slice(ED25519_PUB.length);
  return didFromKey(key) === did ? key : undefined;
}
