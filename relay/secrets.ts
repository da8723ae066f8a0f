import { createHash, randomBytes } from 'node:crypto';

/** 256 bits: guessing is out of the question, so a plain hash of it may be stored (no password to stretch). */
const SECRET_BYTES = 32;

/** A new secret, base64url behind a prefix that tells what it is when it turns up somewhere. */
export function newSecret(prefix: 'tm' | 'tmf'): string {
  return `${prefix}_${randomBytes(SECRET_BYTES).toString('base64url')}`;
}

/**
 * Hexadecimal SHA-256, by which secrets are looked up: how long a look-up takes then says nothing about the secret,
 * since nobody can choose a secret by the first digits of its hash and learn the rest.
 */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
