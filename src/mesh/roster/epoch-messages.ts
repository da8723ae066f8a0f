import { encode } from '@ipld/dag-cbor';
import { TabmeshError } from '../../lib/errors.ts';
import { decodeMap, hasExactly } from '../../lib/strict-map.ts';
import type { Grant } from './room-epochs.ts';
import { MAX_ROSTER_BYTES } from './roster.ts';

/** A roster, a secret and field names. */
export const MAX_EPOCH_MESSAGE_BYTES = MAX_ROSTER_BYTES + 1024;

/** A device that is behind asks by showing who it is. @param certificate the device's word that the asking peer is its own */
export function encodeEpochRequest(certificate: Uint8Array): Uint8Array {
  return encode({ type: 'request', certificate });
}

/**
 * Tells a device that has proven the secret that it was put out all the same. It is refused only when its certificate has
 * been seen, and a join has no message after that.
 */
export const encodePutOut = (): Uint8Array => encode({ type: 'put-out' });

export const isPutOutNotice = (bytes: Uint8Array): boolean => decodeMap(bytes)?.['type'] === 'put-out';

/** @returns the certificate. @throws `protocol_error` */
export function decodeEpochRequest(bytes: Uint8Array): Uint8Array {
  const fields = decodeMap(bytes);
  if (fields === undefined || !hasExactly(fields, ['type', 'certificate']) || fields['type'] !== 'request')
    throw broken();
  const { certificate } = fields;
  if (!(certificate instanceof Uint8Array)) throw broken();
  return certificate;
}

export const encodeGrant = ({ roster, secret }: Grant): Uint8Array => encode({ type: 'grant', roster, secret });

export const encodeRefusal = (): Uint8Array => encode({ type: 'refused' });

/** @throws `not_a_member` when it is a refusal, `protocol_error` when it is neither */
export function decodeGrant(bytes: Uint8Array): Grant {
  const fields = decodeMap(bytes);
  if (fields?.['type'] === 'refused') {
    throw new TabmeshError('not_a_member', 'the room has a new secret, and this device is not on its list of members', {
      hint: 'Ask a member for a new invite.',
    });
  }
  if (fields === undefined || !hasExactly(fields, ['type', 'roster', 'secret']) || fields['type'] !== 'grant')
    throw broken();
  const { roster, secret } = fields;
  if (!(roster instanceof Uint8Array) || !(secret instanceof Uint8Array)) throw broken();
  return { roster, secret };
}

function broken(): TabmeshError {
  return new TabmeshError('protocol_error', 'not a message about epochs');
}
