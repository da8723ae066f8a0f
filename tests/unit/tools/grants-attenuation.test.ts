import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Capability, GrantClaims } from '../../../src/contracts/grants.ts';
import {
  DEFAULT_RULES,
  evaluateChain,
  type AttenuationRules,
  type GrantDemand,
} from '../../../src/tools/grants/attenuation.ts';
import { allows, attenuates, covers } from '../../../src/tools/grants/capability.ts';

const NOW = 1_800_000_000;
const POLICY = 'bafkreipolicy';
const [ROOT, MID, LEAF, EXECUTOR] = ['did:key:root', 'did:key:mid', 'did:key:leaf', 'did:key:executor'];

const tools = (budget?: Capability['budget'], resource = 'room/*', ability = 'tools/*'): Capability => ({
  resource,
  ability,
  ...(budget === undefined ? {} : { budget }),
});

const claims = (issuer: string, audience: string, more: Partial<GrantClaims> = {}): GrantClaims => ({
  issuer,
  audience,
  capabilities: [tools()],
  expiry: NOW + 300,
  notBefore: NOW - 10,
  nonce: null,
  proofs: [],
  canDelegate: true,
  maxDepth: null,
  policyCid: null,
  executor: null,
  ...more,
});

const CALL: GrantDemand = {
  resource: 'room/device',
  ability: 'tools/delete_dataset',
  budget: { calls: 1 },
  args: {},
  audience: LEAF,
  executor: null,
  policyCid: null,
  now: NOW,
};

const parent = (more: Partial<GrantClaims> = {}) => claims(ROOT, MID, more);
const child = (more: Partial<GrantClaims> = {}) =>
  claims(MID, LEAF, {
    capabilities: [tools(undefined, 'room/device', 'tools/delete_dataset')],
    canDelegate: null,
    ...more,
  });
const verdict = (
  chain: readonly GrantClaims[],
  call: Partial<GrantDemand> = {},
  rules: Partial<AttenuationRules> = {},
) => evaluateChain(chain, { ...CALL, ...call }, { ...DEFAULT_RULES, ...rules }).verdict;

describe('AttenuationPolicy@1', () => {
  it('UC1 a chain that attenuates at every hop allows the call', () => {
    expect(verdict([parent(), child()])).toBe('ok');
    expect(verdict([claims(ROOT, LEAF)])).toBe('ok');
    expect(verdict([parent(), claims(MID, 'did:key:x'), claims('did:key:x', LEAF)])).toBe('ok');
  });

  it('UC2 a hop that its parent was not for, and a leaf for somebody else, are refused', () => {
    expect(verdict([claims(ROOT, 'did:key:other'), child()])).toBe('issuer_audience_continuity_failed');
    expect(verdict([parent(), child()], { audience: 'did:key:other' })).toBe('audience_mismatch');
  });

  it.each<[string, Partial<GrantClaims>, Partial<GrantClaims>, string]>([
    [
      'a resource beside its parent',
      {},
      { capabilities: [tools(undefined, 'other/*')] },
      'resource_attenuation_failed',
    ],
    ['a wider resource', { capabilities: [tools(undefined, 'room/a')] }, {}, 'resource_attenuation_failed'],
    [
      'a method beside its parent',
      {},
      { capabilities: [tools(undefined, 'room/device', 'store/write')] },
      'method_attenuation_failed',
    ],
    ['a wider method', { capabilities: [tools(undefined, 'room/*', 'tools/echo')] }, {}, 'method_attenuation_failed'],
    [
      'a higher budget',
      { capabilities: [tools({ calls: 5 })] },
      { capabilities: [tools({ calls: 6 })] },
      'budget_attenuation_failed',
    ],
    ['a budget that is left out', { capabilities: [tools({ calls: 5 })] }, {}, 'budget_attenuation_failed'],
    [
      'another name in its budget',
      { capabilities: [tools({ tenant: 'a' })] },
      { capabilities: [tools({ tenant: 'b' })] },
      'budget_attenuation_failed',
    ],
    [
      'a longer window in its budget',
      { capabilities: [tools({ exp: NOW })] },
      { capabilities: [tools({ exp: NOW + 1 })] },
      'time_attenuation_failed',
    ],
    ['no window in its budget', { capabilities: [tools({ nbf: NOW })] }, {}, 'time_attenuation_failed'],
    ['nothing at all', {}, { capabilities: [] }, 'capability_attenuation_failed'],
    ['something of a parent that has nothing', { capabilities: [] }, {}, 'capability_attenuation_failed'],
    [
      'an ability of a parent that may only delegate',
      { capabilities: [tools(undefined, '*', 'ucan/DELEGATE')] },
      {},
      'capability_attenuation_failed',
    ],
    [
      'other arguments',
      { capabilities: [{ ...tools(), args: { data: 'x' } }] },
      { capabilities: [{ ...tools(), args: { data: 'y' } }] },
      'budget_attenuation_failed',
    ],
    ['arguments left free', { capabilities: [{ ...tools(), args: { data: 'x' } }] }, {}, 'budget_attenuation_failed'],
  ])('UC3 a child with %s is refused', (_what, of, to, code) => {
    expect(verdict([parent(of), child(to)])).toBe(code);
  });

  it('UC3 a call over the budget, with other arguments, or of something else is not granted', () => {
    const only = (capability: Capability) => [claims(ROOT, LEAF, { capabilities: [capability] })];
    expect(verdict(only(tools({ calls: 1 })), { budget: { calls: 1 } })).toBe('ok');
    expect(verdict(only(tools({ calls: 1 })), { budget: { calls: 2 } })).toBe('capability_not_granted');
    expect(verdict(only(tools({ max_bytes: 5 })))).toBe('capability_not_granted');
    expect(verdict(only(tools({ exp: NOW - 1 })))).toBe('capability_not_granted');
    expect(verdict(only({ ...tools(), args: { data: 'x' } }), { args: { data: 'x', more: 1 } })).toBe('ok');
    expect(verdict(only({ ...tools(), args: { data: 'x' } }), { args: { data: 'y' } })).toBe('capability_not_granted');
    expect(verdict(only(tools(undefined, 'room/*', 'tools/echo')))).toBe('capability_not_granted');
    expect(verdict(only(tools(undefined, 'rooms/*')))).toBe('capability_not_granted');
  });

  it.each<[string, Partial<GrantClaims>, Partial<GrantClaims>, string]>([
    ['a token whose time is over', { expiry: NOW - 1 }, { expiry: NOW - 2 }, 'expired'],
    ['a token whose time has not come', { notBefore: NOW + 1 }, { notBefore: NOW + 1 }, 'not_yet_valid'],
    [
      'a child that begins before its parent',
      { notBefore: NOW - 10 },
      { notBefore: NOW - 11 },
      'time_attenuation_failed',
    ],
    ['a child that ends after its parent', { expiry: NOW + 10 }, { expiry: NOW + 11 }, 'time_attenuation_failed'],
    ['a child without end of a parent with one', { expiry: NOW + 10 }, { expiry: null }, 'time_attenuation_failed'],
  ])('UC4 %s is refused', (_what, of, to, code) => {
    expect(verdict([parent(of), child(to)])).toBe(code);
  });

  it('UC4 holds to the second, and within the skew of clocks', () => {
    expect(verdict([claims(ROOT, LEAF, { expiry: NOW })])).toBe('ok');
    expect(verdict([claims(ROOT, LEAF, { expiry: NOW - 5 })], {}, { skewSeconds: 5 })).toBe('ok');
    expect(verdict([claims(ROOT, LEAF, { notBefore: NOW + 5 })], {}, { skewSeconds: 5 })).toBe('ok');
    expect(verdict([claims(ROOT, LEAF, { expiry: NOW - 6 })], {}, { skewSeconds: 5 })).toBe('expired');
  });

  it('UC5 a chain longer than eight, or than one of its tokens allows, is refused', () => {
    const long = (n: number) =>
      Array.from({ length: n }, (_, i) =>
        claims(i === 0 ? ROOT : `did:${String(i)}`, i === n - 1 ? LEAF : `did:${String(i + 1)}`),
      );
    expect(verdict(long(8))).toBe('ok');
    expect(verdict(long(9))).toBe('depth_exceeded');
    expect(verdict([parent({ maxDepth: 0 }), child()])).toBe('depth_exceeded');
    expect(verdict([parent({ maxDepth: 1 }), child({ maxDepth: 0 })])).toBe('ok');
  });

  it('UC6 passing on without the right to is refused; with it, in any of its forms, it is not', () => {
    const right = (ability: string) => ({ canDelegate: null, capabilities: [tools(), tools(undefined, '*', ability)] });
    expect(verdict([parent({ canDelegate: null }), child()])).toBe('redelegation_denied');
    expect(verdict([parent({ canDelegate: false, capabilities: right('ucan/DELEGATE').capabilities }), child()])).toBe(
      'redelegation_denied',
    );
    for (const ability of ['ucan/DELEGATE', 'mcp++/delegate', '*', 'tools/delegate']) {
      expect(verdict([parent(right(ability)), child()])).toBe('ok');
    }
  });

  it('UC8 a policy that is required and missing, wrong, or not the one of the call is refused', () => {
    const leaf = (policyCid: string | null) => [claims(ROOT, LEAF, { policyCid })];
    expect(verdict(leaf(POLICY), {}, { policyRequired: true })).toBe('policy_cid_required');
    expect(verdict(leaf(null), { policyCid: POLICY }, { policyRequired: true })).toBe('policy_cid_required');
    expect(verdict(leaf(POLICY), { policyCid: 'other' }, { requiredPolicyCid: POLICY })).toBe('policy_cid_mismatch');
    expect(verdict(leaf('other'), { policyCid: POLICY }, { requiredPolicyCid: POLICY })).toBe('policy_cid_mismatch');
    expect(verdict(leaf('other'), { policyCid: POLICY })).toBe('policy_cid_mismatch');
    expect(verdict(leaf(POLICY), { policyCid: POLICY }, { requiredPolicyCid: POLICY, policyRequired: true })).toBe(
      'ok',
    );
    expect(verdict(leaf(POLICY))).toBe('ok');
  });

  it('UC9 an executor that is wrong, missing, required or untrusted is refused', () => {
    const leaf = (executor: string | null) => [claims(ROOT, LEAF, { executor })];
    expect(verdict(leaf(EXECUTOR), { executor: 'did:key:other' })).toBe('executor_binding_failed');
    expect(verdict(leaf(EXECUTOR))).toBe('executor_binding_failed');
    expect(verdict(leaf(null), {}, { executorRequired: true })).toBe('executor_binding_failed');
    const trusted = { trustedExecutors: new Set([EXECUTOR]) };
    expect(verdict(leaf(null), { executor: 'did:key:other' }, trusted)).toBe('executor_binding_failed');
    expect(verdict(leaf(EXECUTOR), { executor: EXECUTOR }, trusted)).toBe('ok');
  });

  it('UC10 an empty chain and a call of everything are refused', () => {
    expect(verdict([])).toBe('empty_chain');
    const all = [claims(ROOT, LEAF, { capabilities: [tools(undefined, '*', '*')] })];
    expect(verdict(all, { resource: '*' })).toBe('capability_not_granted');
    expect(verdict(all, { ability: '*' })).toBe('capability_not_granted');
    expect(verdict(all, { audience: '' })).toBe('invalid_token');
    expect(verdict([claims('', LEAF)])).toBe('invalid_token');
    expect(verdict(all)).toBe('ok');
  });

  it('decides in the order of the specification', () => {
    const wrong = [
      claims(ROOT, 'did:key:other', { expiry: NOW - 1, canDelegate: null }),
      child({ expiry: NOW + 999, capabilities: [], executor: EXECUTOR }),
    ];
    expect(verdict(wrong, { ability: '*' }, { maxDepth: 1 })).toBe('depth_exceeded');
    expect(verdict(wrong, { ability: '*' })).toBe('capability_not_granted');
    expect(verdict(wrong)).toBe('expired');
    expect(verdict(wrong, {}, { skewSeconds: 1 })).toBe('issuer_audience_continuity_failed');
    const next = [{ ...wrong[0]!, audience: MID }, wrong[1]!];
    expect(verdict(next, {}, { skewSeconds: 1 })).toBe('time_attenuation_failed');
    expect(verdict([next[0]!, { ...next[1]!, expiry: NOW - 1 }], {}, { skewSeconds: 1 })).toBe('redelegation_denied');
  });
});

describe('covers', () => {
  it.each([
    ['*', 'a/b', true],
    ['a/b', 'a/b', true],
    ['a/*', 'a/b', true],
    ['a/*', 'a/b/c', true],
    ['a/*', 'a/*', true],
    ['a/*', 'a/', false],
    ['a/*', 'ab', false],
    ['a*', 'ab', false],
    ['a/b', 'a/*', false],
    ['', 'a', false],
    ['*', '', false],
  ])('%j covers %j: %s', (pattern, name, expected) => {
    expect(covers(pattern, name)).toBe(expected);
  });
});

describe('attenuation in general', () => {
  const name = fc.constantFrom('*', 'a/*', 'a/b', 'a/b/*', 'a/b/c', 'ab', 'a*');
  // mostly none: a call meets few children that are bounded on all sides
  const bound = fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, fc.integer({ min: 0, max: 3 }));
  const capability = fc
    .record({ resource: name, ability: name, calls: bound, bytes: bound, nbf: bound, exp: bound, data: bound })
    .map(({ resource, ability, data, ...limits }): Capability => {
      const budget = Object.fromEntries(
        Object.entries(limits).filter((entry): entry is [string, number] => entry[1] !== undefined),
      );
      return { resource, ability, budget, ...(data === undefined ? {} : { args: { data } }) };
    });
  const call = fc.record({
    resource: fc.constantFrom('a/b', 'a/b/c', 'ab', 'a/'),
    ability: fc.constantFrom('a/b', 'a/b/c', 'ab'),
    budget: fc.record({ calls: fc.integer({ min: 0, max: 4 }), bytes: fc.integer({ min: 0, max: 4 }) }),
    args: fc.record({ data: fc.integer({ min: 0, max: 3 }) }),
    now: fc.integer({ min: 0, max: 4 }),
  });

  it('a child never allows what its parent does not', () => {
    // half of them made of their parent, so that many are children in truth
    const pair = capability.chain((from) =>
      fc.tuple(
        fc.constant(from),
        fc.oneof(
          capability,
          capability.map((to) => ({ ...from, budget: { ...from.budget, ...to.budget } })),
          capability.map((to) => ({ ...from, resource: to.resource })),
        ),
      ),
    );
    let children = 0;
    fc.assert(
      fc.property(pair, call, ([from, to], made) => {
        if (attenuates(from, to) !== null || !allows(to, made)) return;
        children++;
        expect(allows(from, made)).toBe(true);
      }),
      { numRuns: 20_000 },
    );
    expect(children).toBeGreaterThan(20);
  });

  it('everything attenuates itself', () => {
    fc.assert(fc.property(capability, (each) => attenuates(each, each) === null));
  });
});
