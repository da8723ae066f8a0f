import { decode, encode } from '@ipld/dag-cbor';
import { TabmeshError } from '../../lib/errors.ts';
import { NONCE_BYTES } from './proof.ts';

/** Join messages are small; a longer one is not a join message. */
export const MAX_JOIN_MESSAGE_BYTES = 8 * 1024;

/** We speak this version of the join protocol and of what follows it. */
export const JOIN_VERSIONS = { min: 1, max: 1 } as const;

const MAX_PROTOCOLS = 64;

export interface Hello {
  readonly type: 'hello';
  readonly minVersion: number;
  readonly maxVersion: number;
  readonly epoch: number;
  readonly nonce: Uint8Array;
}

export interface Proof {
  readonly type: 'proof';
  readonly mac: Uint8Array;
}

/** Who the proven side is. Sent only to a side that has proven itself. */
export interface Identity {
  readonly type: 'identity';
  /** the device's signature over this peer's id */
  readonly certificate: Uint8Array;
  readonly kind: 'tab' | 'relay';
  /** protocols that members may speak with it */
  readonly protocols: readonly string[];
}

/** dag-cbor bytes of a join message. */
export function encodeJoin(message: Hello | Proof | Identity): Uint8Array {
  return encode(message);
}

/** Reads the message that must come now. @throws `protocol_error`, `version_mismatch` */
export function decodeHello(bytes: Uint8Array): Hello {
  const value = decodeTyped(bytes, 'hello');
  const { minVersion, maxVersion, epoch, nonce } = value;
  if (!isCount(minVersion) || !isCount(maxVersion) || !isCount(epoch)) throw broken('hello');
  if (!(nonce instanceof Uint8Array) || nonce.byteLength !== NONCE_BYTES) throw broken('hello');
  return { type: 'hello', minVersion, maxVersion, epoch, nonce };
}

/** See {@link decodeHello}. */
export function decodeProof(bytes: Uint8Array): Proof {
  const { mac } = decodeTyped(bytes, 'proof');
  if (!(mac instanceof Uint8Array)) throw broken('proof');
  return { type: 'proof', mac };
}

/** See {@link decodeHello}. */
export function decodeIdentity(bytes: Uint8Array): Identity {
  const { certificate, kind, protocols } = decodeTyped(bytes, 'identity');
  if (!(certificate instanceof Uint8Array) || (kind !== 'tab' && kind !== 'relay')) throw broken('identity');
  if (!Array.isArray(protocols) || protocols.length > MAX_PROTOCOLS) throw broken('identity');
  if (!protocols.every((protocol): protocol is string => typeof protocol === 'string')) throw broken('identity');
  return { type: 'identity', certificate, kind, protocols };
}

/** The newest version both sides speak. @throws `version_mismatch` naming who must update */
export function agreeVersion(theirs: Hello): number {
  const version = Math.min(theirs.maxVersion, JOIN_VERSIONS.max);
  if (version >= theirs.minVersion && version >= JOIN_VERSIONS.min) return version;
  const older = theirs.maxVersion < JOIN_VERSIONS.min ? 'the other side' : 'this app';
  throw new TabmeshError('version_mismatch', `no common protocol version: ${older} is older`, {
    hint: `Update ${older}.`,
    details: { ours: JOIN_VERSIONS, theirs: { min: theirs.minVersion, max: theirs.maxVersion } },
  });
}

function decodeTyped(bytes: Uint8Array, type: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = decode(bytes);
  } catch (cause) {
    throw broken(type, cause);
  }
  if (typeof value !== 'object' || value === null || (value as { type?: unknown }).type !== type) throw broken(type);
  return value as Record<string, unknown>;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function broken(type: string, cause?: unknown): TabmeshError {
  return new TabmeshError('protocol_error', `not a join message of type "${type}"`, { cause });
}
