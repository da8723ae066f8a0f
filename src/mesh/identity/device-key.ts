import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys';
import type { Ed25519PrivateKey } from '@libp2p/interface';
import type { KeyValueStore } from '../../contracts/kv.ts';
import { FORMAT_VERSIONS } from '../../contracts/versions.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { DeviceId, RoomId } from '../../lib/ids.ts';
import type { WriteLock } from '../storage/lock.ts';
import { openVersioned } from '../storage/versioned.ts';
import { idOf } from './device-id.ts';

const KEY = 'device/key';

/** Who this device is: everything it writes into a room is signed with this key. */
export interface DeviceKey {
  readonly id: DeviceId;
  readonly privateKey: Ed25519PrivateKey;
}

/**
 * The key of this device, made at first use. Checks the version of the device store on the way: call it before
 * anything else reads that store.
 * @param options.store the device's own store
 * @param options.lock shared by all tabs of the device: two tabs that start together must not make two keys
 * @throws `format_newer`, `corrupt`, `storage_failed`, `quota_exceeded`
 */
export async function loadDeviceKey(options: {
  readonly store: KeyValueStore;
  readonly lock: WriteLock;
  readonly signal?: AbortSignal;
}): Promise<DeviceKey> {
  const { store } = options;
  return await options.lock.run(async () => {
    await openVersioned(store, 'device', FORMAT_VERSIONS.device);
    const privateKey = await loadOrCreateKey(store, KEY);
    return { id: idOf(privateKey.publicKey), privateKey };
  }, options.signal);
}

/**
 * This device's key in one room: its own, unless it has started anew there.
 * @throws `corrupt`, `storage_failed`
 */
export async function deviceKeyIn(room: RoomId, own: DeviceKey, store: KeyValueStore): Promise<DeviceKey> {
  if ((await store.get(keyIn(room))) === undefined) return own;
  const privateKey = await loadOrCreateKey(store, keyIn(room));
  return { id: idOf(privateKey.publicKey), privateKey };
}

/**
 * Makes this device another one in a room: a copy of it uses the key that it had there. The key stays when the room is
 * forgotten, since the old one is cut off there for good.
 * @throws `storage_failed`, `quota_exceeded`
 */
export async function renewDeviceKeyIn(room: RoomId, store: KeyValueStore): Promise<DeviceKey> {
  const privateKey = await generateKeyPair('Ed25519');
  await store.put(keyIn(room), privateKeyToProtobuf(privateKey));
  return { id: idOf(privateKey.publicKey), privateKey };
}

const keyIn = (room: RoomId) => `${KEY}/${room}`;

/**
 * The Ed25519 key stored under `key`, made and stored when there is none. The caller holds a lock.
 * @throws `corrupt` when something else is stored there
 */
export async function loadOrCreateKey(store: KeyValueStore, key: string): Promise<Ed25519PrivateKey> {
  const stored = await store.get<unknown>(key);
  if (stored === undefined) {
    const made = await generateKeyPair('Ed25519');
    await store.put(key, privateKeyToProtobuf(made));
    return made;
  }
  try {
    if (stored instanceof Uint8Array) {
      const found = privateKeyFromProtobuf(stored);
      if (found.type === 'Ed25519') return found;
    }
  } catch (thrown) {
    throw corruptKey(key, thrown);
  }
  throw corruptKey(key);
}

function corruptKey(key: string, cause?: unknown): TabmeshError {
  return new TabmeshError('corrupt', `the stored key "${key}" cannot be read`, {
    hint: 'Restore it from a backup, or erase this browser or data folder and join again.',
    cause,
  });
}
