import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { ACCESS_KEY_BYTES } from '../identity/invite.ts';

/** Enough that no two keys of a relay share it, and useless for guessing the key. */
export const KEY_ID_BYTES = 8;

/**
 * What is derived from a relay's access key, after SCRAM (RFC 5802 §3): who stores only `storedKey` can check a proof and
 * cannot make one. The key is random, so there is no password to stretch.
 */
export interface AccessSecrets {
  /** by which the relay finds the key */
  readonly id: Uint8Array;
  /** known to who holds the key, and shown masked in each proof */
  readonly clientKey: Uint8Array;
  /** SHA-256 of `clientKey`: all that the relay keeps */
  readonly storedKey: Uint8Array;
}

/** A new access key. */
export const newAccessKey = (): Uint8Array => crypto.getRandomValues(new Uint8Array(ACCESS_KEY_BYTES));

/** Derives {@link AccessSecrets}. */
export function accessSecrets(key: Uint8Array): AccessSecrets {
  const derive = (use: string) => hmac(sha256, key, utf8ToBytes(`tabmesh/access/1 ${use}`));
  const clientKey = derive('client');
  return { id: derive('id').slice(0, KEY_ID_BYTES), clientKey, storedKey: sha256(clientKey) };
}
