import { describe, expect, it } from 'vitest';
import type { GrantRequest } from '../../../src/contracts/grants.ts';
import { canonicalJson } from '../../../src/lib/canonical-json.ts';
import { didFromKey, keyFromDid } from '../../../src/lib/did-key.ts';
import type { DeviceId } from '../../../src/lib/ids.ts';
import type { DeviceKey } from '../../../src/mesh/identity/device-key.ts';
import { didKeys } from '../../../src/mesh/principals/did.ts';
import { createMemoryStore } from '../../../src/mesh/storage/kv-memory.ts';
import { CLOCK_SKEW_SECONDS, MAX_COUNTED_PER_ROOT } from '../../../src/tools/grants/limits.ts';
import { isEffective, isSigned } from '../../../src/tools/grants/revocation.ts';
import { readGrantToken } from '../../../src/tools/grants/token.ts';
import { deviceOf, MemoryReplica, openGrants, SAMPLE_ROOM } from '../../support/access.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { failure } from '../../support/tools.ts';

const [owner, friend, other] = (await Promise.all([1, 2, 3].map(deviceOf))) as [DeviceKey, DeviceKey, DeviceKey];
const did = (device: DeviceKey) => didKeys(device).did;
const RESOURCE = `tabmesh/${SAMPLE_ROOM}/${owner.id}`;
const NOW_MS = 1_800_000_000_000;
const encoder = new TextEncoder();

const request = (more: Partial<GrantRequest> = {}): GrantRequest => ({
  audience: friend.id,
  tools: ['delete_it'],
  lifetimeMs: 3600_000,
  calls: null,
  args: null,
  maxDepth: 0,
  parents: null,
  ...more,
});
const call = (more: object = {}) => ({ tool: 'delete_it', args: { data: 'x' }, audience: did(friend), ...more });

/** A room of three devices, each with its grants. */
function room(admits?: (device: DeviceId) => boolean) {
  const clock = manualClock(NOW_MS);
  const shared = new Map();
  const store = createMemoryStore();
  const [at, atFriend, atOther] = [owner, friend, other].map((device) =>
    openGrants(device, {
      clock,
      replica: new MemoryReplica(device.id, shared),
      ...(device === owner ? { store } : {}),
      ...(admits === undefined ? {} : { admits }),
    }),
  ) as [ReturnType<typeof openGrants>, ReturnType<typeof openGrants>, ReturnType<typeof openGrants>];
  const reopened = () => openGrants(owner, { clock, store, replica: new MemoryReplica(owner.id, shared) });
  return { at, atFriend, atOther, clock, reopened, shared };
}

/** A detached token of MCP++, as somebody else would make it. */
async function detached(by: DeviceKey, claims: object, encode: 'base64url' | 'hex' = 'base64url') {
  const bytes = await by.privateKey.sign(encoder.encode(canonicalJson(claims)));
  return { ...claims, alg: 'EdDSA', kid: 'v1', signature: Buffer.from(bytes).toString(encode) };
}

const shorthand = (more: object = {}) => ({
  iss: did(owner),
  aud: did(friend),
  att: [{ with: RESOURCE, can: 'tools/*' }],
  exp: NOW_MS / 1000 + 60,
  ...more,
});

describe('grants', () => {
  it('let whom they are for call what they name at the device that issued them, and are counted', async () => {
    const { at } = room();
    const { tokens, cid } = await at.issue(request());
    expect(await at.use(tokens, call())).toMatchObject({ verdict: 'ok' });
    expect(await at.use(tokens, call())).toMatchObject({ verdict: 'ok' });
    expect(await at.use(tokens, call({ tool: 'erase_it' }))).toMatchObject({ verdict: 'capability_not_granted' });
    expect(await at.use(tokens, call({ audience: did(other) }))).toMatchObject({ verdict: 'audience_mismatch' });
    expect(await at.list()).toMatchObject([{ cid, state: 'valid', used: 2, claims: { audience: did(friend) } }]);
  });

  it('are worth nothing at another device', async () => {
    const { at, atOther } = room();
    const { tokens } = await at.issue(request());
    expect(await atOther.use(tokens, call())).toMatchObject({ verdict: 'capability_not_granted' });
  });

  it('are worth nothing when somebody grants what is not theirs', async () => {
    const { at } = room();
    const forged = await detached(other, shorthand({ iss: did(other) }));
    expect(await at.use([forged], call())).toMatchObject({ verdict: 'capability_not_granted', hop: 0 });
    expect(await at.use([await detached(owner, shorthand())], call())).toMatchObject({ verdict: 'ok' });
  });

  it('hold for a number of calls, to the last, also when they are made at once and after a restart', async () => {
    const { at, reopened } = room();
    const { tokens } = await at.issue(request({ calls: 3 }));
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => at.use(tokens, call())));
    expect(outcomes.map(({ verdict }) => verdict).sort()).toEqual([
      'capability_not_granted',
      'capability_not_granted',
      'ok',
      'ok',
      'ok',
    ]);
    expect(await reopened().use(tokens, call())).toMatchObject({ verdict: 'capability_not_granted' });
  });

  it('hold for the arguments that they name', async () => {
    const { at } = room();
    const { tokens } = await at.issue(request({ args: { data: 'x' } }));
    expect(await at.use(tokens, call())).toMatchObject({ verdict: 'ok' });
    expect(await at.use(tokens, call({ args: { data: 'y' } }))).toMatchObject({ verdict: 'capability_not_granted' });
    expect(await at.use(tokens, call({ args: {} }))).toMatchObject({ verdict: 'capability_not_granted' });
  });

  it('are passed on in part, and what is passed on is counted with what it came from', async () => {
    const { at, atFriend } = room();
    const given = await at.issue(request({ tools: ['delete_it', 'erase_it'], calls: 2, maxDepth: 1 }));
    const passed = await atFriend.issue(
      request({ audience: other.id, parents: given.tokens, calls: 2, lifetimeMs: 9_000_000 }),
    );
    expect(passed.tokens).toHaveLength(2);
    expect(passed.claims.expiry).toBe(given.claims.expiry);
    const theirs = call({ audience: did(other) });
    expect(await at.use(passed.tokens, theirs)).toMatchObject({ verdict: 'ok' });
    expect(await at.use([...passed.tokens].reverse(), theirs)).toMatchObject({ verdict: 'ok' });
    expect(await at.use(passed.tokens, theirs)).toMatchObject({ verdict: 'capability_not_granted' });
    expect(await at.use(given.tokens, call())).toMatchObject({ verdict: 'capability_not_granted' });
  });

  it.each<[string, Partial<GrantRequest>, Partial<GrantRequest>, string]>([
    ['more tools', {}, { tools: ['delete_it', 'erase_it'] }, 'method_attenuation_failed'],
    ['more calls', { calls: 2 }, { calls: 3 }, 'budget_attenuation_failed'],
    ['any number of calls', { calls: 2 }, {}, 'budget_attenuation_failed'],
    ['any arguments', { args: { data: 'x' } }, {}, 'budget_attenuation_failed'],
    ['no right to', { maxDepth: 0 }, {}, 'depth_exceeded'],
  ])('cannot be passed on with %s', async (_what, given, passed, verdict) => {
    const { at, atFriend } = room();
    const parents = (await at.issue(request({ maxDepth: 1, ...given }))).tokens;
    const error = await failure(() => atFriend.issue(request({ audience: other.id, parents, ...passed })));
    expect(error).toMatchObject({ code: 'forbidden', details: { verdict } });
  });

  it('end', async () => {
    const { at, clock } = room();
    const { tokens } = await at.issue(request({ lifetimeMs: 60_000 }));
    await clock.advance(121_000);
    expect(await at.use(tokens, call())).toMatchObject({ verdict: 'expired', hop: 0 });
    expect(await at.list()).toMatchObject([{ state: 'expired' }]);
    await clock.advance(8 * 24 * 3600_000);
    expect(await at.list()).toEqual([]);
  });

  it('say what is wrong with a request for one', async () => {
    const { at } = room();
    for (const bad of [
      { audience: '12D3KooWNobody' },
      { tools: [] },
      { tools: ['*'] },
      { lifetimeMs: 91 * 24 * 3600_000 },
      { calls: 0 },
      { maxDepth: 8 },
      { parents: ['x.y.z'] },
    ]) {
      expect(await failure(() => at.issue(request(bad)))).toMatchObject({ code: 'invalid_input' });
    }
  });

  it('UC7 a nonce is good for one call; another nonce for another', async () => {
    const { at, reopened } = room();
    const token = await detached(owner, shorthand({ nnc: 'n-1' }));
    expect(await at.use([token], call())).toMatchObject({ verdict: 'ok' });
    expect(await at.use([token], call())).toMatchObject({ verdict: 'replayed' });
    expect(await reopened().use([token], call())).toMatchObject({ verdict: 'replayed' });
    expect(await at.use([await detached(owner, shorthand({ nnc: 'n-2' }))], call())).toMatchObject({ verdict: 'ok' });
    expect(await at.verify([token], call())).toMatchObject({ verdict: 'replayed' });
  });

  it('a nonce and a number of calls hold for as long as the token is taken, past its end too', async () => {
    const { at, clock } = room();
    const once = [await detached(owner, shorthand({ nnc: 'n-1' }))];
    const bound = [await detached(owner, shorthand({ att: [{ with: RESOURCE, can: 'tools/*', nb: { calls: 1 } }] }))];
    for (const token of [once, bound]) expect(await at.use(token, call())).toMatchObject({ verdict: 'ok' });
    await clock.advance((60 + CLOCK_SKEW_SECONDS) * 1000);
    expect(await at.use(once, call())).toMatchObject({ verdict: 'replayed' });
    expect(await at.use(bound, call())).toMatchObject({ verdict: 'capability_not_granted' });
    // what is counted anew lets go of what has ended, and of nothing else
    const fresh = await at.issue(request());
    expect(await at.use(fresh.tokens, call())).toMatchObject({ verdict: 'ok' });
    expect(await at.use(once, call())).toMatchObject({ verdict: 'replayed' });
    expect(await at.use(bound, call())).toMatchObject({ verdict: 'capability_not_granted' });
  });

  it('who passes one on again and again uses up no room but that of this grant', async () => {
    const { at } = room();
    const { tokens, claims } = await at.issue(request({ maxDepth: 1 }));
    const others = await at.issue(request({ audience: other.id, calls: 1 }));
    const att = [{ with: RESOURCE, can: 'tools/delete_it' }];
    const passOn = (more: object) =>
      detached(friend, { iss: did(friend), aud: did(other), att, exp: claims.expiry, ...more });
    const theirs = call({ audience: did(other) });
    // without a bound there is nothing to count
    for (let n = 0; n <= MAX_COUNTED_PER_ROOT; n++) {
      expect(await at.use([...tokens, await passOn({ fct: { n } })], theirs)).toMatchObject({ verdict: 'ok' });
    }
    for (let n = 0; n < MAX_COUNTED_PER_ROOT; n++) await at.use([...tokens, await passOn({ nnc: `n${n}` })], theirs);
    const one = [...tokens, await passOn({ nnc: 'one more' })];
    expect(await failure(() => at.use(one, theirs))).toMatchObject({ code: 'rate_limited' });
    expect(await at.use(others.tokens, theirs)).toMatchObject({ verdict: 'ok' });
  });

  it('checking a grant does not use it up', async () => {
    const { at } = room();
    const { tokens } = await at.issue(request({ calls: 1 }));
    for (let i = 0; i < 3; i++) expect(await at.verify(tokens, call())).toMatchObject({ verdict: 'ok' });
    expect(await at.use(tokens, call())).toMatchObject({ verdict: 'ok' });
  });
});

describe('forms of delegation tokens', () => {
  const long = {
    issuer: did(owner),
    audience: did(friend),
    capabilities: [{ resource: RESOURCE, ability: 'tools/delete_it' }],
    expiry: NOW_MS / 1000 + 60,
    not_before: NOW_MS / 1000 - 60,
    nonce: 'n-long',
    cid: 'bafkreistated',
  };

  it('reads the shorthand and the long form, detached, in hex, as text, and compact', async () => {
    const { at } = room();
    const compact = (await at.issue(request())).tokens[0];
    const forms = [
      await detached(owner, shorthand()),
      await detached(owner, shorthand(), 'hex'),
      JSON.stringify(await detached(owner, shorthand({ nnc: 'text' }))),
      await detached(owner, long),
      compact,
      { token: compact },
    ];
    for (const form of forms) expect(await at.use([form], call())).toMatchObject({ verdict: 'ok' });
  });

  it('gives the same claims the same name in every form, so that revoking one revokes all', async () => {
    const { at } = room();
    const { tokens, cid } = await at.issue(request());
    const body = JSON.parse(Buffer.from(tokens[0]!.split('.')[1]!, 'base64url').toString()) as object;
    const other = await detached(owner, body);
    expect(readGrantToken(other).cid).toBe(cid);
    await at.revoke(cid, { reason: null, chain: null });
    expect(await at.use([other], call())).toMatchObject({ verdict: 'revoked' });
  });

  it.each<[string, (token: Awaited<ReturnType<typeof detached>>) => unknown, string]>([
    ['a claim that was changed', (token) => ({ ...token, att: [{ with: '*', can: '*' }] }), 'invalid_signature'],
    ['a claim that was added', (token) => ({ ...token, can_delegate: true }), 'invalid_signature'],
    ['no signature', ({ signature: _, ...token }) => token, 'invalid_signature'],
    ['the signature of another token', (token) => ({ ...token, signature: 'A'.repeat(86) }), 'invalid_signature'],
    ['padding behind its signature', (token) => ({ ...token, signature: `${token.signature}==` }), 'invalid_token'],
    ['bits left over in its signature', (token) => ({ ...token, signature: bumped(token.signature) }), 'invalid_token'],
    ['one signature too many', (token) => ({ ...token, sig: 'AAAA' }), 'invalid_token'],
    ['another algorithm', (token) => ({ ...token, alg: 'none' }), 'invalid_token'],
    ['a lone surrogate', (token) => ({ ...token, nnc: '\ud800' }), 'invalid_token'],
    ['a duplicate key', (token) => JSON.stringify(token).replace('{', '{"iss":"did:key:x",'), 'invalid_token'],
    ['nothing of a token', () => 42, 'invalid_token'],
    [
      'a cycle',
      (token) => {
        const round: Record<string, unknown> = { ...token };
        round['fct'] = round;
        return round;
      },
      'invalid_token',
    ],
  ])('refuses one with %s', async (_what, change, verdict) => {
    const { at } = room();
    const token = await detached(owner, shorthand());
    expect(await at.use([change(token)], call())).toMatchObject({ verdict });
    expect(await at.use([token], call())).toMatchObject({ verdict: 'ok' });
  });

  it.each<[string, object]>([
    ['two issuers', { issuer: did(other) }],
    ['two ends', { expiry: 9_999_999_999 }],
    ['an end that is text', { exp: '9999999999' }],
    ['a right that is text', { can_delegate: 'false' }],
    ['a negative depth', { max_depth: -1 }],
  ])('refuses one that says %s, though it is signed', async (_what, more) => {
    const { at } = room();
    expect(await at.use([await detached(owner, shorthand(more))], call())).toMatchObject({ verdict: 'invalid_token' });
  });

  it('takes nothing that was left out for a wildcard', async () => {
    const { at } = room();
    for (const capability of [{ with: RESOURCE }, { can: 'tools/*' }, { with: '', can: 'tools/*' }, {}]) {
      const token = await detached(owner, shorthand({ att: [capability] }));
      expect(await at.use([token], call())).toMatchObject({ verdict: 'capability_not_granted' });
    }
  });

  it('never takes a peer or device id for authority', async () => {
    const { at } = room();
    const token = await detached(owner, shorthand({ aud: friend.id }));
    expect(await at.use([token], call())).toMatchObject({ verdict: 'audience_mismatch' });
    const named = await detached(owner, shorthand({ iss: owner.id }));
    // who signs by the name of a peer is no issuer that anything is known of
    expect(await at.use([named], call())).toMatchObject({ verdict: 'invalid_signature' });
  });

  it('puts a chain in order by its proofs, and refuses what is not one chain', async () => {
    const { at, atFriend } = room();
    const given = await at.issue(request({ maxDepth: 1 }));
    const passed = await atFriend.issue(request({ audience: other.id, parents: given.tokens }));
    const theirs = call({ audience: did(other) });
    const [root, leaf] = passed.tokens as [string, string];
    expect(await at.use([leaf, root], theirs)).toMatchObject({ verdict: 'ok' });
    expect(await at.use([leaf], theirs)).toMatchObject({ verdict: 'invalid_token' });
    expect(await at.use([root, leaf, leaf], theirs)).toMatchObject({ verdict: 'invalid_token' });
    expect(await at.use([root, leaf, (await at.issue(request())).tokens[0]], theirs)).toMatchObject({
      verdict: 'invalid_token',
    });
    expect(await at.use([], theirs)).toMatchObject({ verdict: 'empty_chain' });
    expect(await at.use(Array(9).fill(root), theirs)).toMatchObject({ verdict: 'depth_exceeded' });
  });

  it('writes and reads did:key', () => {
    // of the did:key method's own examples
    const example = 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK';
    expect(didFromKey(keyFromDid(example)!)).toBe(example);
    for (const wrong of [
      'did:key:z',
      'did:web:x',
      `${example}1`,
      example.slice(0, -1),
      example.replace('z6Mk', 'z6LS'),
      'did:key:z0OIl',
    ]) {
      expect(keyFromDid(wrong)).toBeUndefined();
    }
  });
});

describe('revocation', () => {
  it('RV1 a signed record verifies; one that is unsigned or tampered with does not', async () => {
    const { at } = room();
    const { cid } = await at.issue(request());
    const record = await at.revoke(cid, { reason: 'lost', chain: null });
    expect(record).toMatchObject({
      schema: 'mcp++/delegation/revocation-record@1',
      issuer: did(owner),
      revoked_delegation_cid: cid,
      effective_at: NOW_MS / 1000,
      alg: 'EdDSA',
      reason: 'lost',
    });
    const keys = didKeys(other);
    expect(await isSigned(record, keys)).toBe(true);
    expect(await isSigned({ ...record, revoked_delegation_cid: 'bafkreiother' }, keys)).toBe(false);
    expect(await isSigned({ ...record, issuer: did(other) }, keys)).toBe(false);
    expect(await isSigned({ ...record, signature: '' }, keys)).toBe(false);
  });

  it('RV2 a revoked grant is refused though its signature is good, and so is all that is derived from it', async () => {
    const { at, atFriend } = room();
    const given = await at.issue(request({ maxDepth: 1 }));
    const passed = await atFriend.issue(request({ audience: other.id, parents: given.tokens }));
    const apart = await at.issue(request());
    await at.revoke(given.cid, { reason: null, chain: null });
    expect(await at.use(given.tokens, call())).toMatchObject({ verdict: 'revoked', hop: 0 });
    expect(await at.use(passed.tokens, call({ audience: did(other) }))).toMatchObject({ verdict: 'revoked', hop: 0 });
    expect(await at.use(apart.tokens, call())).toMatchObject({ verdict: 'ok' });
    const states = (await at.list()).map((each) => [each.cid, each.state]);
    expect(Object.fromEntries(states)).toEqual({ [given.cid]: 'revoked', [apart.cid]: 'valid' });
  });

  it('RV2 who has passed a grant on may take that back, and so may who has given it; nobody else', async () => {
    const { at, atFriend, atOther, shared } = room();
    const given = await at.issue(request({ maxDepth: 1 }));
    const passed = await atFriend.issue(request({ audience: other.id, parents: given.tokens }));
    const theirs = call({ audience: did(other) });
    expect(await failure(() => atOther.revoke(passed.cid, { reason: null, chain: passed.tokens }))).toMatchObject({
      code: 'forbidden',
    });
    expect(await failure(() => atOther.revoke(passed.cid, { reason: null, chain: null }))).toMatchObject({
      code: 'not_found',
    });
    // a record that somebody signs all the same changes nothing
    const own = await atOther.issue(request({ audience: other.id }));
    const record = await atOther.revoke(own.cid, { reason: null, chain: null });
    shared.set(other.id, { [passed.cid]: { ...record, revoked_delegation_cid: passed.cid } });
    expect(await at.use(passed.tokens, theirs)).toMatchObject({ verdict: 'ok' });
    await at.revoke(passed.cid, { reason: null, chain: passed.tokens });
    expect(await at.use(passed.tokens, theirs)).toMatchObject({ verdict: 'revoked', hop: 1 });
    expect(await at.use(given.tokens, call())).toMatchObject({ verdict: 'ok' });
  });

  it('RV3 an empty ledger refuses nobody; one that is not known refuses', async () => {
    const known = room();
    const given = await known.at.issue(request({ maxDepth: 1 }));
    const passed = await known.atFriend.issue(request({ audience: other.id, parents: given.tokens }));
    const theirs = call({ audience: did(other) });
    expect(await known.at.use(passed.tokens, theirs)).toMatchObject({ verdict: 'ok' });
    // the log of the one who passed it on has not come
    known.shared.delete(friend.id);
    expect(await known.at.use(passed.tokens, theirs)).toMatchObject({ verdict: 'revocation_unavailable' });
    expect(await known.at.use(given.tokens, call())).toMatchObject({ verdict: 'ok' });
  });

  it('RV3 what a device passed on that was put out of the room is refused', async () => {
    let blocked = false;
    const { at, atFriend } = room((device) => !blocked || device !== friend.id);
    const given = await at.issue(request({ maxDepth: 1 }));
    const passed = await atFriend.issue(request({ audience: other.id, parents: given.tokens }));
    blocked = true;
    expect(await at.use(passed.tokens, call({ audience: did(other) }))).toMatchObject({
      verdict: 'revocation_unavailable',
    });
  });

  it('RV4 revocations survive a restart and are found by the way they were published', async () => {
    const { at, reopened } = room();
    const { cid, tokens } = await at.issue(request());
    const record = await at.revoke(cid, { reason: null, chain: null });
    expect(await reopened().use(tokens, call())).toMatchObject({ verdict: 'revoked' });
    expect(await reopened().list()).toMatchObject([{ cid, state: 'revoked' }]);
    expect(await reopened().revocations('ledger')).toEqual([record]);
    expect(await reopened().revocations('dht')).toEqual([]);
    expect(await reopened().revocations(null)).toEqual([record]);
  });

  it('is published in the log of who signed it, and holds from the time that the record names', async () => {
    const { at, shared } = room();
    const { cid } = await at.issue(request());
    const record = await at.revoke(cid, { reason: null, chain: null });
    expect(shared.get(owner.id)).toEqual({ [cid]: record });
    const from = NOW_MS / 1000;
    expect(record.discovery).toEqual({
      method: 'ledger',
      registry_id: `tabmesh/room/${SAMPLE_ROOM}`,
      published_at: from,
    });
    expect([from - 1, from, from + 1].map((now) => isEffective(record, now))).toEqual([false, true, true]);
    expect(isEffective({ ...record, expires_at: from }, from + 1)).toBe(false);
    expect(isEffective({ ...record, not_before: from + 1 }, from)).toBe(false);
  });
});

/** The same bytes in base64url that is not canonical: 64 bytes leave four bits over. */
function bumped(signature: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return signature.slice(0, -1) + alphabet.charAt(alphabet.indexOf(signature.slice(-1)) + 1);
}
