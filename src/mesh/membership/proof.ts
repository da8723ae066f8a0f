import { encode } from '@ipld/dag-cbor';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { PeerId, RoomId } from '../../lib/ids.ts';

/** 32 bytes: no two joins share a nonce. */
export const NONCE_BYTES = 32;

const DOMAIN = 'tabmesh/join/1 proof';

/** What both sides know after their hellos, and what a proof binds. */
export interface JoinTranscript {
  readonly room: RoomId;
  readonly epoch: number;
  readonly version: number;
  /** as authenticated by the connection, never as claimed in a message */
  readonly initiator: PeerId;
  readonly responder: PeerId;
  readonly initiatorNonce: Uint8Array;
  readonly responderNonce: Uint8Array;
}

export type Role = 'initiator' | 'responder';

/**
 * The proof that `role` holds the room's secret: HMAC-SHA-256 over the canonical transcript. The role is inside, so a
 * proof cannot be reflected; both nonces are inside, so it cannot be replayed; both peer ids are, so it cannot be relayed.
 * @param joinKey HKDF key of the room's secret that is used for nothing else
 */
export function computeProof(joinKey: Uint8Array, transcript: JoinTranscript, role: Role): Uint8Array {
  return hmac(
    sha256,
    joinKey,
    encode([
      DOMAIN,
      transcript.room,
      transcript.epoch,
      transcript.version,
      role,
      transcript.initiator,
      transcript.responder,
      transcript.initiatorNonce,
      transcript.responderNonce,
    ]),
  );
}

/** Compares without telling by its time where the difference is. */
export function equalConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.byteLength !== b.byteLength) return false;
  let difference = 0;
  for (let i = 0; i < a.byteLength; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}
