import type { RevocationRecord } from '../../contracts/grants.ts';
import { REVOCATION_SCHEMA } from '../../contracts/grants.ts';
import { canonicalJson } from '../../lib/canonical-json.ts';
import { fromBase64url } from '../../lib/compact-token.ts';
import { base64urlText, type GrantKeys } from './keys.ts';

const encoder = new TextEncoder();

/** Signs a revocation record as this device. */
export async function signRevocation(
  keys: GrantKeys,
  fields: Omit<RevocationRecord, 'schema' | 'issuer' | 'alg' | 'kid' | 'signature'>,
): Promise<RevocationRecord> {
  const body = { ...fields, schema: REVOCATION_SCHEMA, issuer: keys.did } as const;
  const signature = base64urlText(await keys.sign(signedBytes(body)));
  return { ...body, alg: 'EdDSA', kid: keys.did, signature };
}

/** Whether the issuer that a record names has signed it. */
export async function isSigned(record: RevocationRecord, keys: Pick<GrantKeys, 'verify'>): Promise<boolean> {
  const { signature, ...rest } = record;
  const { alg: _alg, kid: _kid, ...body } = rest;
  try {
    return await keys.verify(record.issuer, signedBytes(body), fromBase64url(signature));
  } catch {
    // a signature that is no signature is a wrong one
    return false;
  }
}

/** Whether a record is in force. @param now seconds since the epoch */
export function isEffective({ effective_at, not_before, expires_at }: RevocationRecord, now: number): boolean {
  return effective_at <= now && (not_before ?? 0) <= now && now <= (expires_at ?? Infinity);
}

/** Those of the records that were published in one way, e.g. `ledger`. */
export function discoveredBy(records: readonly RevocationRecord[], method: string): readonly RevocationRecord[] {
  return records.filter(({ discovery }) => discovery?.method === method);
}

const signedBytes = (body: object): Uint8Array => encoder.encode(canonicalJson(body));
