import { encode } from '@ipld/dag-cbor';

export const SIGNATURE_BYTES = 64;

/**
 * The bytes that are signed for a statement: canonical dag-cbor with the statement's domain inside, so that a signature
 * of one kind of statement is never one of another.
 * @param domain e.g. `tabmesh/replica/1`
 */
export function statementBytes(domain: string, fields: Readonly<Record<string, unknown>>): Uint8Array {
  return encode({ ...fields, domain });
}
