import { publicKeyFromRaw } from '@libp2p/crypto/keys';
import { didFromKey, keyFromDid } from '../../lib/did-key.ts';
import type { DeviceId } from '../../lib/ids.ts';
import { idOf, isDeviceId, publicKeyOf } from '../identity/device-id.ts';
import type { DeviceKey } from '../identity/device-key.ts';

/** The did:key of a device; undefined for what is no device's id. */
export function didOf(device: string): string | undefined {
  return isDeviceId(device) ? didFromKey(publicKeyOf(device).raw) : undefined;
}

/** The device whose key a did names; undefined for what names none. */
export function deviceOfDid(did: string): DeviceId | undefined {
  const key = keyFromDid(did);
  if (key === undefined) return undefined;
  const publicKey = publicKeyFromRaw(key);
  return publicKey.type === 'Ed25519' ? idOf(publicKey) : undefined;
}

/** Signs as a device and checks what was signed under a did:key; the shape of `GrantKeys` in `src/tools/grants`. */
export function didKeys(key: DeviceKey): {
  readonly did: string;
  sign(bytes: Uint8Array): Promise<Uint8Array>;
  verify(did: string, bytes: Uint8Array, signature: Uint8Array): Promise<boolean>;
} {
  return {
    did: didFromKey(key.privateKey.publicKey.raw),
    sign: async (bytes) => key.privateKey.sign(bytes),
    verify: async (did, bytes, signature) => {
      const device = deviceOfDid(did);
      return device !== undefined && (await publicKeyOf(device).verify(bytes, signature));
    },
  };
}
