import type { Capability, GrantClaims, GrantVerdict } from '../../contracts/grants.ts';
import { allows, attenuates, covers, isDelegation, type GrantedCall } from './capability.ts';
import { MAX_DEPTH } from './limits.ts';

/** A call that a chain of grants is to allow. */
export interface GrantDemand extends GrantedCall {
  /** on whose behalf it is made */
  readonly audience: string;
  /** the place's own; null when it has none */
  readonly executor: string | null;
  readonly policyCid: string | null;
}

export interface AttenuationRules {
  readonly maxDepth: number;
  /** every call must name this policy; null: none in particular */
  readonly requiredPolicyCid: string | null;
  /** the leaf must name a policy */
  readonly policyRequired: boolean;
  /** the call must name its executor */
  readonly executorRequired: boolean;
  /** null: anybody */
  readonly trustedExecutors: ReadonlySet<string> | null;
  readonly skewSeconds: number;
}

export const DEFAULT_RULES: AttenuationRules = {
  maxDepth: MAX_DEPTH,
  requiredPolicyCid: null,
  policyRequired: false,
  executorRequired: false,
  trustedExecutors: null,
  skewSeconds: 0,
};

/** What a chain is worth for a call; `hop` is the index of the token that fails. */
export interface Attenuation {
  readonly verdict: GrantVerdict;
  readonly hop: number | null;
}

/**
 * Whether a chain of delegations, root first, allows a call: the checks of `AttenuationPolicy@1` (MCP++, Profile C) in their
 * order, up to the nonce. Pure. Signatures, revocations, and who may be the root are for the caller to check.
 */
export function evaluateChain(
  chain: readonly GrantClaims[],
  demand: GrantDemand,
  rules: AttenuationRules = DEFAULT_RULES,
): Attenuation {
  const [leaf, last] = [chain.at(-1), chain.length - 1];
  if (leaf === undefined) return { verdict: 'empty_chain', hop: null };
  if (chain.length > rules.maxDepth) return { verdict: 'depth_exceeded', hop: null };
  if (demand.resource === '' || demand.ability === '' || demand.audience === '')
    return { verdict: 'invalid_token', hop: null };
  if (demand.resource === '*' || demand.ability === '*') return { verdict: 'capability_not_granted', hop: null };
  for (const [hop, token] of chain.entries()) {
    const verdict = tokenFault(token, last - hop, demand.now, rules.skewSeconds);
    if (verdict !== null) return { verdict, hop };
  }
  for (const [hop, child] of chain.entries()) {
    const parent = chain[hop - 1];
    const verdict = parent === undefined ? null : hopFault(parent, child);
    if (verdict !== null) return { verdict, hop };
  }
  if (leaf.audience !== demand.audience) return { verdict: 'audience_mismatch', hop: last };
  const verdict = policyFault(leaf, demand, rules) ?? executorFault(leaf, demand, rules);
  if (verdict !== null) return { verdict, hop: null };
  const granted = leaf.capabilities.some((capability) => allows(capability, demand));
  return granted ? { verdict: 'ok', hop: null } : { verdict: 'capability_not_granted', hop: last };
}

function tokenFault(
  { issuer, audience, expiry, notBefore, maxDepth }: GrantClaims,
  hopsAfter: number,
  now: number,
  skew: number,
): GrantVerdict | null {
  if (issuer === '' || audience === '') return 'invalid_token';
  if (expiry !== null && now > expiry + skew) return 'expired';
  if (notBefore !== null && now + skew < notBefore) return 'not_yet_valid';
  return maxDepth !== null && hopsAfter > maxDepth ? 'depth_exceeded' : null;
}

function hopFault(parent: GrantClaims, child: GrantClaims): GrantVerdict | null {
  if (parent.audience !== child.issuer) return 'issuer_audience_continuity_failed';
  const beginsBefore = parent.notBefore !== null && child.notBefore !== null && child.notBefore < parent.notBefore;
  const endsAfter = parent.expiry !== null && (child.expiry === null || child.expiry > parent.expiry);
  if (beginsBefore || endsAfter) return 'time_attenuation_failed';
  if (!mayDelegate(parent)) return 'redelegation_denied';
  if (child.capabilities.length === 0 || parent.capabilities.length === 0) return 'capability_attenuation_failed';
  for (const capability of child.capabilities) {
    const fault = derivationFault(parent.capabilities, capability);
    if (fault !== null) return fault;
  }
  return null;
}

function mayDelegate({ canDelegate, capabilities }: GrantClaims): boolean {
  return canDelegate ?? capabilities.some(({ ability }) => isDelegation(ability));
}

/** The most telling reason why no capability of the parent covers the child's; null when one does. */
function derivationFault(parents: readonly Capability[], child: Capability): GrantVerdict | null {
  // the right to pass something on is no right to do it
  const candidates = isDelegation(child.ability)
    ? parents
    : parents.filter(({ ability }) => ability === '*' || !isDelegation(ability));
  if (candidates.length === 0) return 'capability_attenuation_failed';
  const faults = candidates.map((parent) => attenuates(parent, child));
  if (faults.includes(null)) return null;
  const near = candidates.filter(({ resource }) => covers(resource, child.resource));
  if (near.length === 0) return 'resource_attenuation_failed';
  const same = near.filter(({ ability }) => covers(ability, child.ability));
  const [closest] = same;
  return closest === undefined ? 'method_attenuation_failed' : attenuates(closest, child);
}

function policyFault(leaf: GrantClaims, { policyCid }: GrantDemand, rules: AttenuationRules): GrantVerdict | null {
  if (!rules.policyRequired && rules.requiredPolicyCid === null) {
    const differ = policyCid !== null && leaf.policyCid !== null && policyCid !== leaf.policyCid;
    return differ ? 'policy_cid_mismatch' : null;
  }
  const expected = rules.requiredPolicyCid ?? policyCid;
  if (expected === null) return 'policy_cid_required';
  if (policyCid !== null && policyCid !== expected) return 'policy_cid_mismatch';
  if (leaf.policyCid !== null && leaf.policyCid !== expected) return 'policy_cid_mismatch';
  return leaf.policyCid === null && rules.policyRequired ? 'policy_cid_required' : null;
}

function executorFault(leaf: GrantClaims, { executor }: GrantDemand, rules: AttenuationRules): GrantVerdict | null {
  const { executorRequired, trustedExecutors } = rules;
  if (executor === null && (executorRequired || leaf.executor !== null)) return 'executor_binding_failed';
  if (leaf.executor !== null && leaf.executor !== executor) return 'executor_binding_failed';
  const trusted = executor === null || trustedExecutors === null || trustedExecutors.has(executor);
  return trusted ? null : 'executor_binding_failed';
}
