import type { AccessClass, TokenScope } from '../../contracts/tools.ts';
import { compactBytes, compactInput, compactToken, readCompactToken } from '../../lib/compact-token.ts';
import type { DeviceId, PeerId, RoomId } from '../../lib/ids.ts';
import { hasExactly, isPlainMap } from '../../lib/strict-map.ts';
import { isDeviceId, publicKeyOf } from '../identity/device-id.ts';
import type { DeviceKey } from '../identity/device-key.ts';
import { refused } from './faults.ts';

/** Keeps a signature of this kind from being one of another. */
const TYPE = 'tabmesh-principal';
const VERSION = 1;
const HEADER_FIELDS = ['alg', 'typ', 'v'];
const FIELDS = ['room', 'iss', 'aud', 'iat', 'exp'];
const MAX_NAME = 200;
const MAX_TOOLS = 1024;

/** Whom a chain of statements is about: the root's word. */
export type StatementSubject =
  | {
      readonly kind: 'token';
      readonly id: string;
      readonly name: string;
      /** the relay's peer */
      readonly relay: PeerId;
      /** the member's device that the token was made for */
      readonly maker?: DeviceId;
      readonly scope: TokenScope;
    }
  | { readonly kind: 'device'; readonly peer: PeerId };

/**
 * A device's signed word on whose behalf a call is made. The root names its subject: a token of the relay that signs, or the
 * device that signs. Each place that calls on adds a link, by which it names the next place. Times in ms since the epoch.
 */
export interface Statement {
  readonly room: RoomId;
  /** who signs */
  readonly iss: DeviceId;
  /** who may act on it: the called place's device */
  readonly aud: DeviceId;
  readonly iat: number;
  readonly exp: number;
  /** of a root */
  readonly sub?: StatementSubject;
  /** of a link: what it continues, as {@link digestOf} names it */
  readonly prf?: string;
}

/** Signs a statement; the compact form travels. */
export async function signStatement(key: DeviceKey, statement: Statement): Promise<string> {
  const input = compactInput({ alg: 'EdDSA', typ: TYPE, v: VERSION }, statement);
  return compactToken(input, await key.privateKey.sign(compactBytes(input)));
}

/**
 * Reads a statement and checks that its issuer has signed it. Whether it applies here is for the caller to see.
 * @throws `unauthorized` with `details.reason`: `principal_malformed`, `principal_forged`
 */
export async function verifyStatement(text: string): Promise<Statement> {
  const { statement, signature, signed } = readStatement(text);
  if (await publicKeyOf(statement.iss).verify(signed, signature)) return statement;
  throw refused('principal_forged', 'its signature is not that of the device that it names');
}

function readStatement(text: string) {
  try {
    const { header, payload, signature, signed } = readCompactToken(text);
    if (hasExactly(header, HEADER_FIELDS) && header['alg'] === 'EdDSA' && header['typ'] === TYPE) {
      const statement = header['v'] === VERSION ? statementFrom(payload) : undefined;
      if (statement !== undefined) return { statement, signature, signed };
    }
  } catch (thrown) {
    throw refused('principal_malformed', 'it cannot be read', thrown);
  }
  throw refused('principal_malformed', 'it is not a statement that this app reads');
}

function statementFrom(payload: Readonly<Record<string, unknown>>): Statement | undefined {
  const { room, iss, aud, iat, exp, sub, prf } = payload;
  const isRoot = hasExactly(payload, [...FIELDS, 'sub']);
  if (!isRoot && !hasExactly(payload, [...FIELDS, 'prf'])) return undefined;
  if (typeof room !== 'string' || !isDeviceId(iss) || !isDeviceId(aud) || !isTime(iat) || !isTime(exp))
    return undefined;
  const fields = { room: room as RoomId, iss, aud, iat, exp };
  if (!isRoot) return typeof prf === 'string' ? { ...fields, prf } : undefined;
  const subject = subjectFrom(sub);
  return subject === undefined ? undefined : { ...fields, sub: subject };
}

function subjectFrom(value: unknown): StatementSubject | undefined {
  if (!isPlainMap(value)) return undefined;
  if (value['kind'] === 'device') {
    const { peer } = value;
    return hasExactly(value, ['kind', 'peer']) && isDeviceId(peer)
      ? { kind: 'device', peer: peer as unknown as PeerId }
      : undefined;
  }
  const { maker, ...token } = value;
  if (token['kind'] !== 'token' || !hasExactly(token, ['kind', 'id', 'name', 'relay', 'scope'])) return undefined;
  const { id, name, relay } = token;
  const scope = scopeFrom(value['scope']);
  if (!isName(id) || !isName(name) || !isDeviceId(relay) || scope === undefined) return undefined;
  if (Object.hasOwn(value, 'maker') && !isDeviceId(maker)) return undefined;
  const made = isDeviceId(maker) ? { maker } : {};
  return { kind: 'token', id, name, relay: relay as unknown as PeerId, ...made, scope };
}

function scopeFrom(value: unknown): TokenScope | undefined {
  if (!isPlainMap(value) || !hasExactly(value, ['classes', 'tools', 'expiresAt'])) return undefined;
  const { classes, tools, expiresAt } = value;
  if (!Array.isArray(classes) || !classes.every(isAccessClass)) return undefined;
  if (tools !== null && !(Array.isArray(tools) && tools.length <= MAX_TOOLS && tools.every(isName))) return undefined;
  if (expiresAt !== null && !isTime(expiresAt)) return undefined;
  return { classes, tools, expiresAt };
}

const ACCESS: ReadonlySet<unknown> = new Set<AccessClass>(['read', 'compute', 'write', 'admin']);
const isAccessClass = (value: unknown): value is AccessClass => ACCESS.has(value);
const isName = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= MAX_NAME;
const isTime = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
