import type { RevocationRecord } from '../../contracts/grants.ts';
import { REVOCATION_SCHEMA } from '../../contracts/grants.ts';
import { isPlainMap } from '../../lib/strict-map.ts';

/** Revocations of one device: each is kept by every member for as long as the device is in the room. */
export const MAX_REVOCATIONS = 1024;
/** Longer reasons are no reasons; longer CIDs are none. */
const MAX_TEXT = 512;
const TEXTS = ['issuer', 'revoked_delegation_cid', 'kid', 'signature'];
const OPTIONAL_TEXTS = ['reason', 'replacement_cid', 'nonce'];
const OPTIONAL_TIMES = ['not_before', 'expires_at'];
const KNOWN = new Set([...TEXTS, ...OPTIONAL_TEXTS, ...OPTIONAL_TIMES, 'schema', 'alg', 'effective_at', 'discovery']);

/** A revocation record with none but the known fields, or undefined when `value` is none. Its signature is not looked at. */
export function readRevocation(value: unknown): RevocationRecord | undefined {
  if (!isPlainMap(value) || !Object.keys(value).every((key) => KNOWN.has(key))) return undefined;
  const { schema, alg, discovery } = value;
  const isSound =
    schema === REVOCATION_SCHEMA &&
    alg === 'EdDSA' &&
    isTime(value['effective_at']) &&
    TEXTS.every((key) => isText(value[key])) &&
    OPTIONAL_TEXTS.every((key) => value[key] === undefined || isText(value[key])) &&
    OPTIONAL_TIMES.every((key) => value[key] === undefined || isTime(value[key])) &&
    (discovery === undefined || isDiscovery(discovery));
  return isSound ? (value as unknown as RevocationRecord) : undefined;
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '' && value.length <= MAX_TEXT;
const isTime = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value) && value >= 0;
const isDiscovery = (value: unknown): boolean =>
  isPlainMap(value) &&
  Object.keys(value).length === 3 &&
  isText(value['method']) &&
  isText(value['registry_id']) &&
  isTime(value['published_at']);
