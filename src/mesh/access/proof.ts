import { encode } from '@ipld/dag-cbor';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { PeerId } from '../../lib/ids.ts';
import { equalConstantTime } from '../membership/proof.ts';
import type { AccessSecrets } from './key.ts';

const DOMAIN = 'tabmesh/access/1 proof';

/** What both sides know when a key is presented, and what the proof binds. */
export interface AccessTranscript {
  readonly version: number;
  /** of the key */
  readonly id: Uint8Array;
  /** as authenticated by the connection */
  readonly client: PeerId;
  readonly relay: PeerId;
  readonly clientNonce: Uint8Array;
  readonly relayNonce: Uint8Array;
}

/** The proof that one holds the key: both ids and nonces are inside, so it is good for one connection of two peers. */
export function accessProof(secrets: AccessSecrets, transcript: AccessTranscript): Uint8Array {
  return xor(secrets.clientKey, signature(secrets.storedKey, transcript));
}

/**
 * Checks a proof as the relay does: what it unmasks must hash to what is stored.
 * @param storedKey see {@link AccessSecrets}
 */
export function isAccessProof(proof: Uint8Array, storedKey: Uint8Array, transcript: AccessTranscript): boolean {
  const mask = signature(storedKey, transcript);
  return proof.byteLength === mask.byteLength && equalConstantTime(sha256(xor(proof, mask)), storedKey);
}

function signature(storedKey: Uint8Array, t: AccessTranscript): Uint8Array {
  return hmac(sha256, storedKey, encode([DOMAIN, t.version, t.id, t.client, t.relay, t.clientNonce, t.relayNonce]));
}

const xor = (a: Uint8Array, b: Uint8Array) => a.map((byte, i) => byte ^ (b[i] ?? 0));
