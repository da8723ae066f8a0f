import { base64url } from 'multiformats/bases/base64';
import { canonicalJson, parseStrictJson } from './canonical-json.ts';
import { TabmeshError } from './errors.ts';
import { isPlainMap } from './strict-map.ts';

/** A signed JSON object that has been taken apart; whether the signature is good is not looked at here. */
export interface CompactToken {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly signature: Uint8Array;
  /** the bytes that are signed */
  readonly signed: Uint8Array;
}

/** An Ed25519 signature (RFC 8032). */
export const SIGNATURE_BYTES = 64;
const BASE64URL = /^[A-Za-z0-9_-]+$/;
/** Header and payload nest a few deep and have a few dozen members. */
const LIMITS = { maxDepth: 16, maxKeys: 1024 };

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * What is signed of a compact token: base64url of the header's and of the payload's canonical JSON, joined by a dot, as in a
 * JWS (RFC 7515 §5.1).
 */
export function compactInput(header: object, payload: object): string {
  return `${toBase64url(canonicalJson(header))}.${toBase64url(canonicalJson(payload))}`;
}

/** The bytes to sign of {@link compactInput}. */
export const compactBytes = (input: string): Uint8Array => encoder.encode(input);

/** Puts the signature behind its input. */
export function compactToken(input: string, signature: Uint8Array): string {
  return `${input}.${base64url.baseEncode(signature)}`;
}

/**
 * Takes a compact token apart.
 * @param text of bounded length: the caller has checked it
 * @throws `invalid_input` for anything that is not exactly one: padding, bits left over, JSON that is not strict
 */
export function readCompactToken(text: string): CompactToken {
  const [header, payload, signature, ...more] = text.split('.');
  if (header === undefined || payload === undefined || signature === undefined || more.length > 0) {
    throw broken('it does not have three parts');
  }
  return {
    header: readObject(header),
    payload: readObject(payload),
    signature: signatureFrom(signature),
    signed: encoder.encode(`${header}.${payload}`),
  };
}

/** Reads base64url as RFC 4648 §5 has it, without padding and in the one way to write these bytes. @throws `invalid_input` */
export function fromBase64url(text: string): Uint8Array {
  if (!BASE64URL.test(text)) throw broken('it is not base64url');
  try {
    const bytes = base64url.baseDecode(text);
    if (base64url.baseEncode(bytes) === text) return bytes;
  } catch (cause) {
    throw broken('it is not base64url', cause);
  }
  throw broken('its base64url is not canonical');
}

function signatureFrom(text: string): Uint8Array {
  const bytes = fromBase64url(text);
  if (bytes.byteLength !== SIGNATURE_BYTES) throw broken('its signature has another length');
  return bytes;
}

function readObject(part: string): Readonly<Record<string, unknown>> {
  let text: string;
  try {
    text = decoder.decode(fromBase64url(part));
  } catch (cause) {
    throw broken('a part of it is not text', cause);
  }
  const value = parseStrictJson(text, LIMITS);
  if (!isPlainMap(value)) throw broken('a part of it is not an object');
  return value;
}

const toBase64url = (text: string) => base64url.baseEncode(encoder.encode(text));

function broken(why: string, cause?: unknown): TabmeshError {
  return new TabmeshError('invalid_input', `not a signed token: ${why}`, { cause });
}
