import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ApprovalsPort } from '../../src/contracts/approvals.ts';
import type { Principal } from '../../src/contracts/tools.ts';
import { startTabPeer, type TabPeer } from '../support/tab-peers.ts';
import { callRest } from '../support/call-rest.ts';
import { openDoors } from '../support/doors.ts';
import { listAsHeld } from '../support/held-dataset.ts';
import { Cleanups } from '../support/live-peers.ts';
import { startLiveRelay, type LiveRelay } from '../support/live-relay.ts';

const DATA = `bafyrei${'c'.repeat(52)}`;
/** What the tool itself answers: it has run. */
const RAN = { status: 404, error: { code: 'not_found' } };

/** Until everybody has met everybody. */
const STARTED = { timeout: 20_000 };

describe('approvals on a real mesh', () => {
  const cleanups = new Cleanups();
  let live: LiveRelay;
  let asked: TabPeer;
  let asking: TabPeer;
  let approvals: ApprovalsPort;

  const principal = (): Principal => ({ kind: 'device', device: asking.room.replica.device, peer: asking.peer });
  const deletions = () => asked.room.local.counters.served()['delete_dataset'] ?? 0;
  const rest = (headers: Record<string, string> = {}, args: object = { dataset: DATA }) =>
    callRest(live, 'delete_dataset', args, { place: asked.peer, headers });

  beforeAll(async () => {
    live = await startLiveRelay();
    cleanups.add(() => live.close());
    asked = await startTabPeer(live.invite, cleanups);
    asking = await startTabPeer(live.invite, cleanups);
    approvals = await asked.room.access.approvals();
    listAsHeld(asked, DATA);
    const sees = (tools: { list(): readonly { metadata: { name: string }; places: readonly unknown[] }[] }) =>
      tools.list().find(({ metadata }) => metadata.name === 'delete_dataset')?.places.length;
    await vi.waitFor(() => {
      expect([sees(live.gateway.tools), sees(asking.room.tools)]).toEqual([3, 3]);
    }, STARTED);
  }, 60_000);
  afterAll(() => cleanups.run());
  beforeEach(async () => {
    for (const { id } of approvals.standing()) await approvals.revoke(id);
    for (const { handle } of approvals.pending()) {
      await approvals.decide(handle, 'no');
      for (const { id } of approvals.standing()) await approvals.revoke(id);
    }
  });

  it('REST: the call waits for the person, runs once after "once", and not again', async () => {
    const before = deletions();
    const pending = await rest();
    expect(pending).toMatchObject({ status: 403, error: { code: 'approval_pending', retryable: true } });
    const handle = String(pending.error.details['handle']);
    expect(approvals.pending()).toMatchObject([
      {
        handle,
        tool: 'delete_dataset',
        access: 'write',
        args: `{"dataset":"${DATA}"}`,
        asker: { class: 'relay', name: 'owner' },
      },
    ]);
    expect(await rest({ 'tabmesh-approval': handle })).toMatchObject({
      status: 403,
      error: { code: 'approval_pending' },
    });
    expect(deletions()).toBe(before);
    await approvals.decide(handle, 'once');
    expect(await rest({ 'tabmesh-approval': handle })).toMatchObject(RAN);
    expect(deletions()).toBe(before + 1);
    expect(await rest({ 'tabmesh-approval': handle })).toMatchObject({ status: 409, error: { code: 'conflict' } });
    expect(deletions()).toBe(before + 1);
  });

  it('a call with a handle goes where the handle came from, without being told the place', async () => {
    const handle = String((await rest()).error.details['handle']);
    await approvals.decide(handle, 'once');
    const before = deletions();
    expect(
      await callRest(live, 'delete_dataset', { dataset: DATA }, { headers: { 'tabmesh-approval': handle } }),
    ).toMatchObject(RAN);
    expect(deletions()).toBe(before + 1);
  });

  it('a member asks as itself: its answers are not those of the token, and it cannot use the token’s handle', async () => {
    const handle = String((await rest()).error.details['handle']);
    await approvals.decide(handle, 'always');
    const call = (credentials?: { approval: string }) =>
      asking.room.tools.call({
        tool: 'delete_dataset',
        args: { dataset: DATA },
        principal: principal(),
        place: asked.peer,
        ...(credentials === undefined ? {} : { credentials }),
      });
    expect(await call()).toMatchObject({ ok: false, error: { code: 'approval_pending' } });
    const before = deletions();
    expect(await call({ approval: handle })).toMatchObject({ ok: false, error: { code: 'not_found' } });
    expect(deletions()).toBe(before);
    expect(approvals.pending()).toMatchObject([{ asker: { class: 'member', device: asking.room.replica.device } }]);
    // benign: the token uses its own
    expect(await rest({ 'tabmesh-approval': handle })).toMatchObject(RAN);
    expect(await rest()).toMatchObject(RAN);
    expect(deletions()).toBe(before + 2);
  });

  it('a "no" is told, and the caller cannot ask again for a while', async () => {
    const handle = String((await rest()).error.details['handle']);
    await approvals.decide(handle, 'no');
    for (const headers of [{}, { 'tabmesh-approval': handle }] as Record<string, string>[]) {
      expect(await rest(headers)).toMatchObject({
        status: 403,
        error: { code: 'forbidden', details: { denied: true } },
      });
    }
    expect(approvals.pending()).toEqual([]);
  });

  it('a person who looks is asked while the call waits', async () => {
    const leave = approvals.attend();
    const unsubscribe = approvals.subscribe(() => {
      for (const { handle } of approvals.pending()) void approvals.decide(handle, 'once');
    });
    try {
      expect(await rest()).toMatchObject(RAN);
    } finally {
      unsubscribe();
      leave();
    }
  });

  it('MCP, both wires: the handle is in the result, and goes back in _meta', async () => {
    const doors = await openDoors(live, asking);
    try {
      for (const door of ['older MCP', 'MCP 2026-07-28'] as const) {
        const refusal = await doors[door]('delete_dataset', { dataset: DATA, place: asked.peer });
        expect(refusal).toMatchObject({ code: 'approval_pending' });
        expect(refusal.details['handle']).toBe(approvals.pending()[0]?.handle);
      }
    } finally {
      await doors.close();
    }
    const handle = approvals.pending()[0]?.handle ?? '';
    await approvals.decide(handle, 'once');
    const before = deletions();
    const response = await fetch(live.relay.urls.mcp, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${live.relay.token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-method': 'tools/call',
        'mcp-name': 'delete_dataset',
        'mcp-protocol-version': '2026-07-28',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: {
          name: 'delete_dataset',
          arguments: { dataset: DATA },
          _meta: {
            'io.modelcontextprotocol/protocolVersion': '2026-07-28',
            'io.modelcontextprotocol/clientCapabilities': {},
            'tabmesh/approval': handle,
            // not the client's to set
            'tabmesh/principal': 'forged',
          },
        },
      }),
    });
    expect(await response.text()).toContain('not_found');
    expect(deletions()).toBe(before + 1);
  });

  it('who runs a relay decides there by the owner token, and nobody else does', async () => {
    const relay = live.gateway.self;
    const call = (tool: string, args: object, more = {}) =>
      asking.room.tools.call({ tool, args, principal: principal(), place: relay, ...more });
    const collected = async (max_results: number) => {
      const { result } = await callRest(live, 'collect_literature', { query: 'sleep', max_results }, { place: relay });
      return { dataset: String(result['dataset']) };
    };
    const [first, second] = [await collected(2), await collected(3)];
    const pending = await call('delete_dataset', first);
    const handle = pending.ok ? '' : String(pending.error.details['handle']);
    expect(pending).toMatchObject({ ok: false, error: { code: 'approval_pending' } });
    // the router of an honest peer knows better than to try
    const at = (tool: string, args: object) =>
      asking.room.mesh.call(relay, tool, args, principal(), { timeoutMs: 5_000 });
    await expect(at('list_approvals', {})).rejects.toMatchObject({ code: 'forbidden' });
    await expect(at('decide_approval', { handle, answer: 'once' })).rejects.toMatchObject({ code: 'forbidden' });
    const owner = (tool: string, args: object) => callRest(live, tool, args);
    expect((await owner('list_approvals', {})).result).toMatchObject({ pending: [{ handle }] });
    expect((await owner('decide_approval', { handle, answer: 'always' })).result).toMatchObject({
      pending: [],
      standing: [{ tool: 'delete_dataset', decision: 'allow' }],
    });
    const run = await call('delete_dataset', first, { credentials: { approval: handle } });
    expect(run).toMatchObject({ ok: true, value: { deleted: first.dataset } });
    const [standing] = (await owner('list_approvals', {})).result['standing'] as { id: string }[];
    await owner('revoke_approval', { id: standing?.id });
    expect(await call('delete_dataset', second)).toMatchObject({ ok: false, error: { code: 'approval_pending' } });
    await owner('set_class_access', { member: ['read', 'compute', 'write'], relay: ['read'] });
    expect(await call('delete_dataset', second)).toMatchObject({ ok: true, value: { deleted: second.dataset } });
    await owner('set_class_access', { member: ['read', 'compute'], relay: ['read', 'compute'] });
  });

  it('nobody is asked about a dataset that this device does not keep', async () => {
    const dataset = `bafyrei${'d'.repeat(52)}`;
    expect(await rest({}, { dataset })).toMatchObject(RAN);
    expect(approvals.pending()).toEqual([]);
    // benign: about one that it keeps, the person is asked
    expect(await rest()).toMatchObject({ status: 403, error: { code: 'approval_pending' } });
    expect(approvals.pending()).toHaveLength(1);
  });
});
