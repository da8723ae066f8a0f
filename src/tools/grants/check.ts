import type { GrantCheck, GrantVerdict, RevocationRecord } from '../../contracts/grants.ts';
import type { AttenuationRules, GrantDemand } from './attenuation.ts';
import { DEFAULT_RULES, evaluateChain } from './attenuation.ts';
import { allows } from './capability.ts';
import type { GrantKeys } from './keys.ts';
import { CLOCK_SKEW_SECONDS, MAX_DEPTH } from './limits.ts';
import { isEffective, isSigned } from './revocation.ts';
import { readGrantToken, type GrantToken } from './token.ts';

/** Where revocations are found. */
export interface RevocationLedger {
  /**
   * The records that name one of these CIDs.
   * @param issuers those whose records must be known for the answer to be worth anything
   * @returns null when they are not: nothing can be said then
   */
  find(names: readonly string[], issuers: readonly string[]): readonly RevocationRecord[] | null;
}

/** What has been used of grants at this place. */
export interface GrantUses {
  /** calls that a token has allowed */
  callsOf(cid: string): number;
  /** whether the nonce of a token was seen, by {@link nonceName} */
  saw(nonce: string): boolean;
}

export interface CheckOptions {
  /** whose grants count here: what the chain must begin with */
  readonly root: string;
  readonly keys: Pick<GrantKeys, 'verify'>;
  readonly ledger: RevocationLedger;
  readonly uses: GrantUses;
  readonly rules?: AttenuationRules;
}

/** A check with the tokens that were read, root first. */
export interface CheckedChain extends GrantCheck {
  readonly tokens: readonly GrantToken[];
}

/** A call, with the bytes of its arguments; the calls that were made before are counted here. */
type Demand = Omit<GrantDemand, 'budget'> & { readonly bytes: number };

const RULES: AttenuationRules = { ...DEFAULT_RULES, skewSeconds: CLOCK_SKEW_SECONDS };

/**
 * Checks everything about a chain of grants for a call: form, signatures, revocations, attenuation, root, counted calls,
 * nonce. Fails closed; never throws for what the tokens hold.
 * @param values tokens in any wire form, in any order
 */
export async function checkGrants(
  values: readonly unknown[],
  demand: Demand,
  options: CheckOptions,
): Promise<CheckedChain> {
  const { root, keys, ledger, uses, rules = RULES } = options;
  const verdictOf = (verdict: GrantVerdict, tokens: readonly GrantToken[], hop: number | null = null) => ({
    verdict,
    hop,
    tokens,
    chain: tokens.map(({ cid, claims }) => ({ cid, claims })),
  });
  if (values.length === 0) return verdictOf('empty_chain', []);
  if (values.length > MAX_DEPTH) return verdictOf('depth_exceeded', []);
  const tokens = inOrder(readAll(values));
  if (tokens === undefined) return verdictOf('invalid_token', []);
  for (const [hop, token] of tokens.entries()) {
    const { claims, signed, signature } = token;
    const good = signature !== null && (await keys.verify(claims.issuer, signed, signature));
    if (!good) return verdictOf('invalid_signature', tokens, hop);
  }
  const revoked = await revocationOf(tokens, keys, ledger, demand.now);
  if (revoked !== null) return verdictOf(revoked.verdict, tokens, revoked.hop);
  const leaf = tokens.at(-1);
  const budget = { calls: (leaf === undefined ? 0 : uses.callsOf(leaf.cid)) + 1, bytes: demand.bytes };
  const { verdict, hop } = evaluateChain(
    tokens.map(({ claims }) => claims),
    { ...demand, budget },
    rules,
  );
  if (verdict !== 'ok') return verdictOf(verdict, tokens, hop);
  // only the device itself may let others do something there
  if (tokens[0]?.claims.issuer !== root) return verdictOf('capability_not_granted', tokens, 0);
  const spent = tokens.findIndex((token) => isSpent(token, demand, uses));
  if (spent >= 0) return verdictOf('capability_not_granted', tokens, spent);
  if (leaf?.claims.nonce && uses.saw(nonceName(leaf))) return verdictOf('replayed', tokens, tokens.length - 1);
  return verdictOf('ok', tokens);
}

/** What a nonce is remembered by: it need only be new for its issuer and audience. */
export const nonceName = ({ claims: { issuer, audience, nonce } }: GrantToken): string =>
  JSON.stringify([issuer, audience, nonce]);

function readAll(values: readonly unknown[]): readonly GrantToken[] | undefined {
  try {
    return values.map(readGrantToken);
  } catch {
    // whatever is wrong with its form, it is no token: the verdict says so
    return undefined;
  }
}

/**
 * Puts tokens in order, root first, by the CIDs that they name as proofs; as they came where they name none. Undefined when
 * they do not make one chain.
 */
function inOrder(tokens: readonly GrantToken[] | undefined): readonly GrantToken[] | undefined {
  if (tokens === undefined) return undefined;
  if (!tokens.some(({ claims }) => claims.proofs.length > 0)) return tokens;
  const named = (token: GrantToken) => [token.cid, ...token.names];
  const parentOf = (child: GrantToken) =>
    tokens.find((token) => token !== child && named(token).some((name) => child.claims.proofs.includes(name)));
  const leaves = tokens.filter((token) => !tokens.some((other) => parentOf(other) === token));
  const [leaf] = leaves;
  if (leaf === undefined || leaves.length > 1) return undefined;
  const ordered = [leaf];
  for (let next = parentOf(leaf); next !== undefined && ordered.length < tokens.length; next = parentOf(next)) {
    ordered.unshift(next);
  }
  const isOne = ordered.length === tokens.length && new Set(ordered).size === tokens.length;
  // a root that names proofs which are not there is no root
  return isOne && ordered[0]?.claims.proofs.length === 0 ? ordered : undefined;
}

async function revocationOf(
  tokens: readonly GrantToken[],
  keys: Pick<GrantKeys, 'verify'>,
  ledger: RevocationLedger,
  now: number,
): Promise<{ readonly verdict: GrantVerdict; readonly hop: number | null } | null> {
  const issuers = tokens.map(({ claims }) => claims.issuer);
  const records = ledger.find(
    tokens.flatMap(({ cid, names }) => [cid, ...names]),
    issuers,
  );
  if (records === null) return { verdict: 'revocation_unavailable', hop: null };
  for (const [hop, { cid, names }] of tokens.entries()) {
    // who has granted something may take it back, and so may everybody from whom that comes
    const entitled = new Set(issuers.slice(0, hop + 1));
    const against = records.filter(
      (record) =>
        [cid, ...names].includes(record.revoked_delegation_cid) &&
        entitled.has(record.issuer) &&
        isEffective(record, now),
    );
    for (const record of against) if (await isSigned(record, keys)) return { verdict: 'revoked', hop };
  }
  return null;
}

/** Whether the calls that a token allows have all been made, by this leaf or by others that come from it. */
function isSpent({ cid, claims }: GrantToken, call: Demand, uses: GrantUses): boolean {
  const budget = { calls: uses.callsOf(cid) + 1, bytes: call.bytes };
  return !claims.capabilities.some((capability) => allows(capability, { ...call, budget }));
}
