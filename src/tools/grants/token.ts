import type { Capability, GrantClaims } from '../../contracts/grants.ts';
import { canonicalJson, parseStrictJson } from '../../lib/canonical-json.ts';
import { fromBase64url, readCompactToken, SIGNATURE_BYTES } from '../../lib/compact-token.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { CidString } from '../../lib/ids.ts';
import { jcsCid } from '../../lib/jcs-cid.ts';
import { isPlainMap } from '../../lib/strict-map.ts';
import { oneOf, readCapability } from './capability.ts';
import { MAX_CAPABILITIES, MAX_PROOFS, MAX_TOKEN_CHARS } from './limits.ts';

/** A delegation token that has been read; nothing of it is checked yet but its form. */
export interface GrantToken {
  readonly claims: GrantClaims;
  /** of the canonical claims, whatever the wire form: revoking one form revokes the other */
  readonly cid: CidString;
  /** what the token itself says that it is called, for revocations that others made */
  readonly names: readonly string[];
  readonly signed: Uint8Array;
  /** null: it is not signed */
  readonly signature: Uint8Array | null;
}

/** What is around the claims of a detached object, and not signed with them (MCP++ Profile C). */
const AROUND = new Set([
  'signature',
  'sig',
  'signatures',
  'alg',
  'kid',
  'header',
  'protected',
  'public_key',
  'publicKey',
  'public_key_b64',
  'issuer_public_key',
  'signature_alg',
  'signatureAlg',
  'token',
]);
const ALGORITHMS: ReadonlySet<unknown> = new Set(['EdDSA', 'Ed25519']);
const HEX_SIGNATURE = /^[0-9a-fA-F]{128}$/;
const LIMITS = { maxDepth: 16, maxKeys: 2048 };

const encoder = new TextEncoder();

/**
 * Reads a delegation token: a detached object, its JSON text, or the compact form; claims in the short or the long spelling.
 * @throws `invalid_input` for anything else, and for a token that says one thing in two ways
 */
export function readGrantToken(value: unknown): GrantToken {
  if (typeof value === 'string') {
    if (value.length > MAX_TOKEN_CHARS) throw broken('it is too long');
    if (!value.trimStart().startsWith('{')) return readCompact(value);
    const parsed = parseStrictJson(value, LIMITS);
    if (isPlainMap(parsed)) return readDetached(parsed);
  }
  if (!isPlainMap(value)) throw broken('it is neither an object nor text');
  const wrapped = value['token'];
  if (typeof wrapped === 'string' && value['signature'] === undefined) return readGrantToken(wrapped);
  return readDetached(value);
}

function readCompact(text: string): GrantToken {
  const { header, payload, signature, signed } = readCompactToken(text);
  const { alg, typ } = header;
  if (alg !== 'EdDSA' || (typ !== undefined && typ !== 'UCAN')) throw broken('its header names another kind');
  return { ...readBody(payload), signed, signature };
}

function readDetached(object: Readonly<Record<string, unknown>>): GrantToken {
  const body = Object.fromEntries(Object.entries(object).filter(([key]) => !AROUND.has(key)));
  const text = canonicalJson(body);
  if (text.length > MAX_TOKEN_CHARS) throw broken('it is too long');
  const alg = oneOf(object, ['alg', 'signature_alg', 'signatureAlg']);
  if (alg !== undefined && !ALGORITHMS.has(alg)) throw broken('it is signed by another algorithm');
  const signature = oneOf(object, ['signature', 'sig']);
  return {
    ...readBody(body),
    signed: encoder.encode(text),
    signature: signature === undefined ? null : bytesOf(signature),
  };
}

function bytesOf(signature: unknown): Uint8Array {
  if (typeof signature !== 'string') throw broken('its signature is not text');
  const bytes = HEX_SIGNATURE.test(signature) ? fromHex(signature) : fromBase64url(signature);
  if (bytes.byteLength !== SIGNATURE_BYTES) throw broken('its signature has another length');
  return bytes;
}

const fromHex = (text: string): Uint8Array =>
  Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));

function readBody(body: Readonly<Record<string, unknown>>): Pick<GrantToken, 'claims' | 'cid' | 'names'> {
  const stated = oneOf(body, ['cid']);
  const claims: GrantClaims = {
    issuer: text(body, ['iss', 'issuer']) ?? '',
    audience: text(body, ['aud', 'audience']) ?? '',
    capabilities: capabilitiesOf(oneOf(body, ['att', 'capabilities'])),
    expiry: time(body, ['exp', 'expiry', 'expiration', 'not_after']),
    notBefore: time(body, ['nbf', 'not_before']),
    nonce: text(body, ['nnc', 'jti', 'nonce']),
    proofs: proofsOf(body),
    canDelegate: flag(body, ['can_delegate', 'redelegate', 'may_delegate']),
    maxDepth: time(body, ['max_depth', 'depth', 'delegation_depth']),
    policyCid: text(body, ['policy_cid', 'pol', 'plc']),
    executor: text(body, ['executor', 'exe', 'executor_did']),
  };
  return { claims, cid: jcsCid(body), names: typeof stated === 'string' ? [stated] : [] };
}

function capabilitiesOf(value: unknown): readonly Capability[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > MAX_CAPABILITIES) throw broken('its capabilities are not a list');
  // one that cannot be read grants nothing, and takes nothing from the others
  return value.flatMap((each) => readCapability(each) ?? []);
}

function proofsOf(body: Readonly<Record<string, unknown>>): readonly string[] {
  const one = text(body, ['proof_cid']);
  const many = oneOf(body, ['prf', 'proof_cids']) ?? [];
  if (!Array.isArray(many) || many.length > MAX_PROOFS || !many.every((each) => typeof each === 'string')) {
    throw broken('its proofs are not a list of CIDs');
  }
  return one === null ? many : [one, ...many];
}

function text(body: Readonly<Record<string, unknown>>, names: readonly string[]): string | null {
  const value = oneOf(body, names);
  if (value === undefined) return null;
  if (typeof value === 'string') return value.trim();
  throw broken(`${names.join(' or ')} is not one text`);
}

function time(body: Readonly<Record<string, unknown>>, names: readonly string[]): number | null {
  const value = oneOf(body, names);
  if (value === undefined) return null;
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  throw broken(`${names.join(' or ')} is not one number`);
}

function flag(body: Readonly<Record<string, unknown>>, names: readonly string[]): boolean | null {
  const value = oneOf(body, names);
  if (value === undefined) return null;
  if (typeof value === 'boolean') return value;
  throw broken(`${names.join(' or ')} is neither true nor false`);
}

function broken(why: string): TabmeshError {
  return new TabmeshError('invalid_input', `not a delegation token: ${why}`);
}
