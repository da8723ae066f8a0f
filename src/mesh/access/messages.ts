import { encode } from '@ipld/dag-cbor';
import type { IceServer } from '../../contracts/relay.ts';
import { TabmeshError } from '../../lib/errors.ts';
import { decodeMap, isPlainMap } from '../../lib/strict-map.ts';
import { NONCE_BYTES } from '../membership/proof.ts';
import { KEY_ID_BYTES } from './key.ts';

/** A welcome with a handful of TURN servers is below 2 KiB. */
export const MAX_ACCESS_MESSAGE_BYTES = 8 * 1024;
/** We speak this version of the access protocol and of what follows it. */
export const ACCESS_VERSIONS = { min: 1, max: 1 } as const;
const PROOF_BYTES = 32;
/** A browser warns from five servers on; each entry may have several urls. */
const MAX_ICE_SERVERS = 8;
const MAX_ICE_URLS = 8;
const MAX_ICE_TEXT = 512;
const MAX_REASON = 200;
/** A day: a credential that lives longer is not a short-lived one. */
const MAX_ICE_TTL_MS = 24 * 60 * 60 * 1000;

/** The peer's first word. */
export interface AccessHello {
  readonly type: 'hello';
  readonly minVersion: number;
  readonly maxVersion: number;
  /** id of the key that will be proven; null for a peer that has none */
  readonly key: Uint8Array | null;
  readonly nonce: Uint8Array;
}

/** The relay's answer to a hello with a key. */
export interface AccessChallenge {
  readonly type: 'challenge';
  readonly version: number;
  readonly nonce: Uint8Array;
}

/** The peer's answer to that. */
export interface AccessProof {
  readonly type: 'proof';
  readonly mac: Uint8Array;
}

/** The peer may use the relay. */
export interface AccessWelcome {
  readonly type: 'welcome';
  /** STUN and TURN servers of the relay's choice */
  readonly ice: readonly IceServer[];
  /** how long their credentials hold from now; null: for good */
  readonly iceTtlMs: number | null;
}

/** The peer may not. */
export interface AccessRefusal {
  readonly type: 'refused';
  readonly code: 'unauthorized' | 'version_mismatch' | 'protocol_error';
  readonly reason: string;
}

/** dag-cbor bytes of a message. */
export function encodeAccess(
  message: AccessHello | AccessChallenge | AccessProof | AccessWelcome | AccessRefusal,
): Uint8Array {
  return encode(message);
}

/** Reads the message that must come now. @throws `protocol_error` */
export function decodeAccessHello(bytes: Uint8Array): AccessHello {
  const { type, minVersion, maxVersion, key, nonce } = fieldsOf(bytes);
  if (type !== 'hello' || !isCount(minVersion) || !isCount(maxVersion)) throw broken();
  if (key !== null && !isBytes(key, KEY_ID_BYTES)) throw broken();
  if (!isBytes(nonce, NONCE_BYTES)) throw broken();
  return { type, minVersion, maxVersion, key, nonce };
}

/** See {@link decodeAccessHello}. */
export function decodeAccessProof(bytes: Uint8Array): AccessProof {
  const { type, mac } = fieldsOf(bytes);
  if (type !== 'proof' || !isBytes(mac, PROOF_BYTES)) throw broken();
  return { type, mac };
}

/** What a relay may answer. @throws `protocol_error` */
export function decodeAccessAnswer(bytes: Uint8Array): AccessChallenge | AccessWelcome | AccessRefusal {
  const fields = fieldsOf(bytes);
  switch (fields['type']) {
    case 'challenge': {
      const { version, nonce } = fields;
      if (!isCount(version) || !isBytes(nonce, NONCE_BYTES)) throw broken();
      return { type: 'challenge', version, nonce };
    }
    case 'welcome': {
      const { ice, iceTtlMs } = fields;
      if (!Array.isArray(ice) || ice.length > MAX_ICE_SERVERS) throw broken();
      if (iceTtlMs !== null && !(isCount(iceTtlMs) && iceTtlMs > 0 && iceTtlMs <= MAX_ICE_TTL_MS)) throw broken();
      return { type: 'welcome', ice: ice.map(readIceServer), iceTtlMs };
    }
    case 'refused': {
      const { code, reason } = fields;
      if (typeof reason !== 'string' || reason.length > MAX_REASON) throw broken();
      if (code !== 'unauthorized' && code !== 'version_mismatch' && code !== 'protocol_error') throw broken();
      return { type: 'refused', code, reason };
    }
    default:
      throw broken();
  }
}

/** A STUN or TURN server as RTCPeerConnection takes it: one that it does not take would break every dial. */
function readIceServer(value: unknown): IceServer {
  const { urls, username, credential } = isPlainMap(value) ? value : {};
  if (!Array.isArray(urls) || urls.length === 0 || urls.length > MAX_ICE_URLS) throw broken();
  const isUrl = (url: unknown): url is string => isText(url) && /^(?:stuns?|turns?):[^\s/]+$/.test(url);
  if (!urls.every(isUrl)) throw broken();
  if (isText(username) && isText(credential)) return { urls, username, credential };
  if (urls.some((url) => url.startsWith('turn'))) throw broken();
  return { urls };
}

function fieldsOf(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  const fields = decodeMap(bytes);
  if (fields === undefined) throw broken();
  return fields;
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= MAX_ICE_TEXT;
const isBytes = (value: unknown, length: number): value is Uint8Array =>
  value instanceof Uint8Array && value.byteLength === length;
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function broken(): TabmeshError {
  return new TabmeshError('protocol_error', 'not a message of the access protocol');
}
