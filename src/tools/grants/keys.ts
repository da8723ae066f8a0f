import { base64url } from 'multiformats/bases/base64';

/** Signing as this device, and checking what others have signed. */
export interface GrantKeys {
  /** this device's own */
  readonly did: string;
  sign(bytes: Uint8Array): Promise<Uint8Array>;
  /** @returns false, too, for a did that is not a did:key of an Ed25519 key */
  verify(did: string, bytes: Uint8Array, signature: Uint8Array): Promise<boolean>;
}

/** Base64url without padding. */
export const base64urlText = (bytes: Uint8Array): string => base64url.baseEncode(bytes);
