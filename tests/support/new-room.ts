import { generateKeyPair } from '@libp2p/crypto/keys';
import { idOf } from '../../src/mesh/identity/device-id.ts';
import { createRoomSecret } from '../../src/mesh/identity/room-secret.ts';

const { publicKey } = await generateKeyPair('Ed25519');

/** A new room, owned by a device that nobody meets. */
export const newRoom = () => createRoomSecret(idOf(publicKey));
