import { ACCESS_CLASSES } from '../../src/contracts/access.ts';
import type { AccessClass } from '../../src/contracts/tools.ts';
import { SCOPE_PREFIX } from '../http/gate/scope.ts';

/** The scopes that a token of an identity provider can carry for this relay. */
export const OAUTH_SCOPES: readonly string[] = ACCESS_CLASSES.map((name) => SCOPE_PREFIX + name);

/**
 * The access classes that a token's claims grant; none that it does not name.
 * @param claims `scope` is one text (RFC 9068 §2.2.3), `scp` a list or a text, as some providers write it
 */
export function classesOf(claims: Readonly<Record<string, unknown>>): readonly AccessClass[] {
  const named = new Set([claims['scope'], claims['scp']].flatMap(words));
  return ACCESS_CLASSES.filter((name) => named.has(SCOPE_PREFIX + name));
}

function words(claim: unknown): readonly string[] {
  if (typeof claim === 'string') return claim.split(' ');
  return Array.isArray(claim) ? claim.filter((word) => typeof word === 'string') : [];
}
