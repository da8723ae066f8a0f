import { decode } from '@ipld/dag-cbor';

/**
 * Decodes bytes that must be one dag-cbor map.
 * @param bytes from anywhere; the caller has bounded their length
 * @returns the map's own fields, or undefined when the bytes are anything else
 */
export function decodeMap(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  let value: unknown;
  try {
    value = decode(bytes);
  } catch {
    // undecodable and "not a map" are the same answer: what to do about it is the caller's to say
    return undefined;
  }
  return isPlainMap(value) ? value : undefined;
}

/** True for an object that is a plain map: no array, no bytes, no CID, no class instance. */
export function isPlainMap(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** True when the map has exactly these keys. */
export function hasExactly(map: Readonly<Record<string, unknown>>, keys: readonly string[]): boolean {
  return Object.keys(map).length === keys.length && keys.every((key) => Object.hasOwn(map, key));
}
