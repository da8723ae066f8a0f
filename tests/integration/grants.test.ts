import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { GrantsPort } from '../../src/contracts/grants.ts';
import type { Principal } from '../../src/contracts/tools.ts';
import type { TabmeshError } from '../../src/lib/errors.ts';
import { didOf } from '../../src/mesh/principals/did.ts';
import { listAsHeld } from '../support/held-dataset.ts';
import { startTabPeer, type TabPeer } from '../support/tab-peers.ts';
import { callRest } from '../support/call-rest.ts';
import { Cleanups } from '../support/live-peers.ts';
import { startLiveRelay, type LiveRelay } from '../support/live-relay.ts';

const DATA = `bafyrei${'d'.repeat(52)}`;
const HOUR_MS = 3600_000;

/** Until everybody has met everybody. */
const STARTED = { timeout: 20_000 };

describe('grants on a real mesh', () => {
  const cleanups = new Cleanups();
  let live: LiveRelay;
  let keeper: TabPeer;
  let friend: TabPeer;
  let stranger: TabPeer;
  let grants: GrantsPort;
  let relayDevice: string;

  const principal = (member: TabPeer): Principal => ({
    kind: 'device',
    device: member.room.replica.device,
    peer: member.peer,
  });
  /** Code of the error: `not_found` is the tool's own, so the call has run. */
  const call = async (member: TabPeer, shown?: readonly unknown[], args: object = { dataset: DATA }) => {
    const answer = await member.room.tools.call({
      tool: 'delete_dataset',
      args,
      principal: principal(member),
      place: keeper.peer,
      ...(shown === undefined ? {} : { credentials: { grants: shown } }),
    });
    if (answer.ok) return 'ok';
    const { code, details } = answer.error;
    return typeof details['verdict'] === 'string' ? `${code} ${details['verdict']}` : code;
  };
  const request = (audience: string, more = {}) => ({
    audience,
    tools: ['delete_dataset'],
    lifetimeMs: HOUR_MS,
    calls: null,
    args: null,
    maxDepth: 0,
    parents: null,
    ...more,
  });

  beforeAll(async () => {
    live = await startLiveRelay();
    cleanups.add(() => live.close());
    keeper = await startTabPeer(live.invite, cleanups);
    friend = await startTabPeer(live.invite, cleanups);
    stranger = await startTabPeer(live.invite, cleanups);
    grants = await keeper.room.access.grants();
    listAsHeld(keeper, DATA);
    const all = [keeper, friend, stranger];
    await vi.waitFor(() => {
      expect(
        all.map(({ room }) => [
          room.mesh.list().filter(({ tools }) => tools.length > 0).length,
          Object.keys(room.replica.state().devices).length,
        ]),
      ).toEqual(all.map(() => [3, 4]));
    }, STARTED);
    relayDevice = keeper.room.mesh.list().find(({ place }) => place.peer === live.gateway.self)?.place.device ?? '';
    await vi.waitFor(() => {
      expect(live.gateway.tools.list().find(({ metadata }) => metadata.name === 'delete_dataset')?.places.length).toBe(
        4,
      );
    }, STARTED);
  }, 60_000);
  afterAll(() => cleanups.run());

  it('lets a device do what it would have to ask for, and nobody who got hold of it', async () => {
    expect(await call(friend)).toBe('approval_pending');
    const { tokens } = await grants.issue(request(friend.room.replica.device));
    expect(await call(friend, tokens)).toBe('not_found');
    expect(await call(stranger, tokens)).toBe('forbidden audience_mismatch');
  });

  it('AB11 a valid peer with an invalid UCAN, or with none, is refused', async () => {
    const { tokens } = await grants.issue(request(friend.room.replica.device));
    const [token] = tokens;
    const [header, payload, signature] = token!.split('.') as [string, string, string];
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
    const widened = Buffer.from(JSON.stringify({ ...claims, att: [{ resource: '*', ability: '*' }] })).toString(
      'base64url',
    );
    expect(await call(friend, [`${header}.${widened}.${signature}`])).toBe('forbidden invalid_signature');
    expect(await call(friend, [])).toBe('forbidden empty_chain');
    expect(await call(friend, ['not a token'])).toBe('forbidden invalid_token');
    expect(await call(friend, tokens)).toBe('not_found');
  });

  it('does not fall back to asking the person when a grant is not good', async () => {
    const approvals = await keeper.room.access.approvals();
    const before = approvals.pending().length;
    expect(await call(stranger, ['not a token'])).toBe('forbidden invalid_token');
    expect(approvals.pending()).toHaveLength(before);
  });

  it('is passed on by a member, and void everywhere once either of them has revoked it', async () => {
    const given = await grants.issue(request(friend.room.replica.device, { maxDepth: 1 }));
    const atFriend = await friend.room.access.grants();
    const passed = await atFriend.issue(request(stranger.room.replica.device, { parents: given.tokens }));
    expect(await call(stranger, passed.tokens)).toBe('not_found');
    await atFriend.revoke(passed.cid, { reason: 'done', chain: null });
    await expect.poll(() => call(stranger, passed.tokens), { timeout: 10_000 }).toBe('forbidden revoked');
    expect(await call(friend, given.tokens)).toBe('not_found');
    await grants.revoke(given.cid, { reason: null, chain: null });
    expect(await call(friend, given.tokens)).toBe('forbidden revoked');
  });

  it('reaches a device that was away when the grant was revoked', async () => {
    const given = await grants.issue(request(friend.room.replica.device));
    await grants.revoke(given.cid, { reason: null, chain: null });
    const late = await startTabPeer(live.invite, cleanups);
    const { device } = keeper.room.replica;
    await expect
      .poll(() => Object.keys(late.room.replica.state().devices[device]?.revocations ?? {}), { timeout: 10_000 })
      .toContain(given.cid);
  });

  it('lets a token of a relay do it over REST, within its calls', async () => {
    const audience = `urn:tabmesh:token:${relayDevice}:owner`;
    const { tokens } = await grants.issue(request(audience, { calls: 1 }));
    const rest = (headers: Record<string, string>) =>
      callRest(live, 'delete_dataset', { dataset: DATA }, { place: keeper.peer, headers });
    expect(await rest({ 'tabmesh-grants': tokens.join(' ') })).toMatchObject({
      status: 404,
      error: { code: 'not_found' },
    });
    expect(await rest({ 'tabmesh-grants': tokens.join(' ') })).toMatchObject({
      status: 403,
      error: { code: 'forbidden', details: { verdict: 'capability_not_granted' } },
    });
    expect(await rest({})).toMatchObject({ status: 403, error: { code: 'approval_pending' } });
  });

  it('opens a class that the device has closed, and never administration', async () => {
    const approvals = await keeper.room.access.approvals();
    await approvals.setClassAccess({ member: [], relay: [] });
    const { tokens } = await grants.issue(
      request(friend.room.replica.device, { tools: ['echo', 'change_room_secret'] }),
    );
    // past the router, which knows better than to try
    const at = async (tool: string, args: object, shown?: readonly unknown[]) => {
      const options = { timeoutMs: 5_000, ...(shown === undefined ? {} : { credentials: { grants: shown } }) };
      try {
        await friend.room.mesh.call(keeper.peer, tool, args, principal(friend), options);
        return 'ok';
      } catch (error) {
        return (error as TabmeshError).code;
      }
    };
    try {
      expect(await at('echo', { text: 'x' })).toBe('forbidden');
      expect(await at('echo', { text: 'x' }, tokens)).toBe('ok');
      expect(await at('change_room_secret', {}, tokens)).toBe('forbidden');
    } finally {
      await approvals.setClassAccess({ member: ['read', 'compute'], relay: ['read', 'compute'] });
    }
  });

  it('is issued, listed, verified and revoked at a relay by its owner', async () => {
    const owner = async (tool: string, args: object) => (await callRest(live, tool, args)).result;
    const audience = friend.room.replica.device;
    const issued = await owner('issue_grant', { audience, tools: ['delete_dataset'], calls: 2 });
    const { cid, tokens } = issued as { cid: string; tokens: string[] };
    const verify = () =>
      owner('verify_grant', {
        chain: tokens,
        tool: 'delete_dataset',
        audience: didOf(audience),
        args: { dataset: DATA },
      });
    expect(await verify()).toMatchObject({ verdict: 'ok', hop: null, chain: [{ cid }] });
    const run = await friend.room.tools.call({
      tool: 'delete_dataset',
      args: { dataset: DATA },
      principal: principal(friend),
      place: live.gateway.self,
      credentials: { grants: tokens },
    });
    expect(run).toMatchObject({ ok: false, error: { code: 'not_found' } });
    expect(await owner('list_grants', {})).toMatchObject({ grants: [{ cid, state: 'valid', used: 1 }] });
    await owner('revoke_grant', { cid, reason: 'over' });
    expect(await verify()).toMatchObject({ verdict: 'revoked', hop: 0 });
    expect(await owner('list_grants', {})).toMatchObject({ grants: [{ cid, state: 'revoked' }] });
    const issue = friend.room.mesh.call(
      live.gateway.self,
      'issue_grant',
      { audience, tools: ['echo'] },
      principal(friend),
      { timeoutMs: 5_000 },
    );
    await expect(issue).rejects.toMatchObject({ code: 'forbidden' });
  });
});
