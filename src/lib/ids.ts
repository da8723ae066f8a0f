/** Branded identifiers: strings that cannot be mixed up at compile time. */

declare const brand: unique symbol;
type Brand<T, B extends string> = T & { readonly [brand]: B };

/** a libp2p peer id in its base58 string form */
export type PeerId = Brand<string, 'PeerId'>;
/** a device: the base58 peer-id form of its long-lived Ed25519 public key */
export type DeviceId = Brand<string, 'DeviceId'>;
/** a room: 16 random bytes, base32 lower case, no padding */
export type RoomId = Brand<string, 'RoomId'>;
/** a CIDv1 in base32 string form */
export type CidString = Brand<string, 'CidString'>;
export type RunId = Brand<string, 'RunId'>;
export type StepId = Brand<string, 'StepId'>;

/** A random id of 122 bits as 32 hexadecimal digits. */
export function randomId(): string {
  return crypto.randomUUID().replaceAll('-', '');
}
