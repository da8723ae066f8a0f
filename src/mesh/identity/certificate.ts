import { encode } from '@ipld/dag-cbor';
import { TabmeshError } from '../../lib/errors.ts';
import type { DeviceId, PeerId, RoomId } from '../../lib/ids.ts';
import { decodeMap, hasExactly } from '../../lib/strict-map.ts';
import { isDeviceId, publicKeyOf } from './device-id.ts';
import type { DeviceKey } from './device-key.ts';
import { SIGNATURE_BYTES, statementBytes } from './signed.ts';

const DOMAIN = 'tabmesh/peer-certificate/1';
const VERSION = 1;
/** version, 52 characters of id, 64 bytes of signature and their field names; anything longer is no certificate */
const MAX_CERTIFICATE_BYTES = 256;

/** A device's word that a peer is its own in one room: presented when the peer joins. */
export async function issueCertificate(device: DeviceKey, peer: PeerId, room: RoomId): Promise<Uint8Array> {
  const signature = await device.privateKey.sign(statement(device.id, peer, room));
  return encode({ version: VERSION, device: device.id, signature });
}

/**
 * Checks a certificate that `peer` presented. The caller knows from the connection that it speaks with `peer`.
 * @returns the device that the peer belongs to
 * @throws `version_mismatch` for a newer one, `unauthorized` for everything else that does not hold
 */
export async function verifyCertificate(bytes: Uint8Array, peer: PeerId, room: RoomId): Promise<DeviceId> {
  const fields = bytes.byteLength > MAX_CERTIFICATE_BYTES ? undefined : decodeMap(bytes);
  const version = fields?.['version'];
  if (typeof version === 'number' && version > VERSION) {
    throw new TabmeshError(
      'version_mismatch',
      `a device certificate of version ${version}, this app reads ${VERSION}`,
      {
        hint: 'Update this app.',
      },
    );
  }
  if (fields === undefined || version !== VERSION || !hasExactly(fields, ['version', 'device', 'signature'])) {
    throw refused('it cannot be read');
  }
  const { device, signature } = fields as { device: unknown; signature: unknown };
  if (!isDeviceId(device)) throw refused('it names no device');
  if (!(signature instanceof Uint8Array) || signature.byteLength !== SIGNATURE_BYTES) throw refused('it is not signed');
  if (!(await publicKeyOf(device).verify(statement(device, peer, room), signature))) {
    throw refused('the device did not sign it for this peer and room');
  }
  return device;
}

const statement = (device: DeviceId, peer: PeerId, room: RoomId) => statementBytes(DOMAIN, { device, peer, room });

function refused(why: string): TabmeshError {
  return new TabmeshError('unauthorized', `device certificate refused: ${why}`);
}
