import { peerIdFromPublicKey, peerIdFromString } from '@libp2p/peer-id';
import type { Ed25519PublicKey } from '@libp2p/interface';
import { TabmeshError } from '../../lib/errors.ts';
import type { DeviceId, PeerId } from '../../lib/ids.ts';

/** base58 of an identity multihash of an Ed25519 key: 52 characters, always this start. */
const ED25519_ID = /^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/;

/** The id of the device (or peer) that has this public key. */
export function idOf(publicKey: Ed25519PublicKey): DeviceId & PeerId {
  return peerIdFromPublicKey(publicKey).toString() as DeviceId & PeerId;
}

/**
 * The public key that an id holds. Takes the base58 form only: the same key written in another way would otherwise
 * pass for another device.
 * @throws `invalid_input` when it is no id of an Ed25519 key
 */
export function publicKeyOf(id: string): Ed25519PublicKey {
  if (ED25519_ID.test(id)) {
    try {
      const peer = peerIdFromString(id);
      if (peer.type === 'Ed25519' && peer.toString() === id) return peer.publicKey;
    } catch (thrown) {
      throw new TabmeshError('invalid_input', 'not the id of a device', { cause: thrown });
    }
  }
  throw new TabmeshError('invalid_input', 'not the id of a device');
}

/** True when {@link publicKeyOf} takes it. */
export function isDeviceId(value: unknown): value is DeviceId {
  if (typeof value !== 'string') return false;
  try {
    publicKeyOf(value);
    return true;
  } catch {
    // the question is whether it throws
    return false;
  }
}
