import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AuditEntry } from '../../src/contracts/audit.ts';
import type { Principal } from '../../src/contracts/tools.ts';
import { api } from '../support/api.ts';
import { callRest } from '../support/call-rest.ts';
import { listAsHeld } from '../support/held-dataset.ts';
import { Cleanups } from '../support/live-peers.ts';
import { startLiveRelay, type LiveRelay } from '../support/live-relay.ts';
import { startTabPeer, type TabPeer } from '../support/tab-peers.ts';

const DATA = `bafyrei${'c'.repeat(52)}`;
const { signal } = new AbortController();
/** Until everybody has met everybody. */
const STARTED = { timeout: 20_000 };

describe('the audit log of a device', () => {
  const cleanups = new Cleanups();
  let live: LiveRelay;
  let asked: TabPeer;
  let asking: TabPeer;

  const own = (tab: TabPeer): Principal => ({ kind: 'device', device: tab.room.replica.device, peer: tab.peer });
  const newest = async (tab: TabPeer, limit = 1): Promise<readonly AuditEntry[]> =>
    (await tab.room.audit.read({ limit }, signal)).entries;

  beforeAll(async () => {
    live = await startLiveRelay();
    cleanups.add(() => live.close());
    asked = await startTabPeer(live.invite, cleanups);
    asking = await startTabPeer(live.invite, cleanups);
    await vi.waitFor(() => {
      const places = asking.room.tools.list().find(({ metadata }) => metadata.name === 'echo')?.places;
      expect([places?.length, asked.room.mesh.list().length]).toEqual([3, 2]);
    }, STARTED);
  }, 60_000);
  afterAll(() => cleanups.run());

  it('has each call that another device makes, with who made it, and none of its own', async () => {
    await asking.echo(asked.peer, 'to you');
    await asked.echo(asked.peer, 'to myself');
    const [entry] = await newest(asked);
    expect(entry).toMatchObject({
      event: 'served',
      who: { kind: 'device', id: asking.room.replica.device, name: `tab ${asking.peer.slice(-4)}` },
      what: 'echo',
      where: null,
      outcome: 'ok',
      argsHmac: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
    expect(JSON.stringify(entry)).not.toContain('to you');
    // who calls has nothing to tell: it served nobody
    expect(await newest(asking)).toEqual([]);
  });

  it('has a relay’s client as the token that it is, in the trace that the relay’s own log has', async () => {
    expect(await callRest(live, 'echo', { text: 'x' }, { place: asked.peer })).toMatchObject({ status: 200 });
    const [entry] = await newest(asked);
    const relay = live.gateway.peers().find(({ link }) => link === 'self');
    expect(entry).toMatchObject({ event: 'served', who: { kind: 'token', id: 'owner', issuer: relay?.device } });
    const { body } = await api(live.relay, live.relay.token, 'GET', `api/audit?trace=${String(entry?.trace)}`);
    expect(body).toMatchObject({ entries: [{ event: 'call', what: 'echo', where: { peer: asked.peer } }] });
  });

  it('has what was refused, with the reason', async () => {
    const failed = async (tool: string, args: object) => {
      await asking.room.mesh
        .call(asked.peer, tool, args, own(asking), { signal, timeoutMs: 5_000 })
        .catch(() => undefined);
      const [entry] = await newest(asked);
      return [entry?.what, entry?.outcome];
    };
    expect(await failed('no_such_tool', {})).toEqual(['no_such_tool', 'unknown_tool']);
    expect(await failed('echo', { text: 1 })).toEqual(['echo', 'invalid_input']);
    expect(await failed('audit_log', {})).toEqual(['audit_log', 'forbidden']);
  });

  it('has what the person decides, and whom it is about', async () => {
    const approvals = await asked.room.access.approvals();
    listAsHeld(asked, DATA);
    const ask = () =>
      asking.room.tools.call({
        ...{ tool: 'delete_dataset', args: { dataset: DATA }, principal: own(asking), place: asked.peer },
      });
    expect(await ask()).toMatchObject({ ok: false, error: { code: 'approval_pending' } });
    await approvals.decide(approvals.pending()[0]?.handle ?? '', 'no');
    await approvals.revoke(approvals.standing()[0]?.id ?? '');
    await approvals.setClassAccess(approvals.classAccess());
    const grants = await asked.room.access.grants();
    const issued = await grants.issue({
      ...{ audience: asking.room.replica.device, tools: ['delete_dataset'], lifetimeMs: 60_000 },
      ...{ calls: 1, args: null, maxDepth: 0, parents: null },
    });
    await grants.revoke(issued.cid, { reason: null, chain: null });

    const entries = (await newest(asked, 6)).toReversed();
    const me = { kind: 'device', id: asked.room.replica.device };
    const other = { kind: 'device', id: asking.room.replica.device };
    expect(entries).toMatchObject([
      { event: 'served', what: 'delete_dataset', outcome: 'approval_pending', who: other },
      { event: 'approval.no', what: 'delete_dataset', who: me, about: other },
      { event: 'approval.revoked', what: 'delete_dataset', who: me, about: other },
      { event: 'access.changed', what: 'members read, compute; tokens of relays read, compute', who: me },
      { event: 'grant.issued', what: issued.cid, who: me, about: other },
      { event: 'grant.revoked', what: issued.cid, who: me },
    ]);
  });

  it('is what the audit tools answer from, at the place that is asked', async () => {
    const call = (tool: string, args: object = {}) => asked.room.tools.call({ tool, args, principal: own(asked) });
    const log = await call('audit_log', { tool: 'echo', limit: 1 });
    expect(log).toMatchObject({ ok: true, value: { entries: [{ event: 'served', what: 'echo' }] } });
    const [last] = await newest(asked);
    expect(await call('verify_audit_log')).toMatchObject({ ok: true, value: { ok: true, head: last?.hash } });
    // an owner of the relay asks the relay, and gets its own
    const relays = await callRest(live, 'audit_log', { limit: 500 });
    expect(JSON.stringify(relays)).toContain('relay.started');
    const refused = await callRest(live, 'audit_log', {}, { place: asked.peer });
    expect(refused).toMatchObject({ error: { code: 'no_place' } });
  });

  it('is kept by a relay for its own peer, too: once for a member, and once for its HTTP clients', async () => {
    const relay = live.gateway.self;
    await asking.echo(relay, 'to the relay');
    await callRest(live, 'echo', { text: 'y' }, { place: relay });
    const { body } = await api(live.relay, live.relay.token, 'GET', 'api/audit?tool=echo&limit=2');
    expect(body).toMatchObject({
      entries: [
        { event: 'call', who: { kind: 'token', id: 'owner' }, where: { peer: relay } },
        { event: 'served', who: { kind: 'device', id: asking.room.replica.device } },
      ],
    });
  });
});
