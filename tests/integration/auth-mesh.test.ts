import { afterEach, describe, expect, it, vi } from 'vitest';
import type { AuditVerdict } from '../../src/contracts/audit.ts';
import { RelayServices } from '../../src/peer/room/relay-services.ts';
import { api, codeOf } from '../support/api.ts';
import { Cleanups } from '../support/live-peers.ts';
import { startLiveRelay, type LiveRelay } from '../support/live-relay.ts';
import { cidOf } from '../support/ports.ts';
import { startTabPeer, type TabPeer } from '../support/tab-peers.ts';
import { failureCode } from '../support/tools.ts';

const cleanups = new Cleanups();
afterEach(() => cleanups.run());

/** Until the tab is linked to the relay's peer, as it must be before it can ask for anything. */
async function linked(tab: TabPeer, relay: LiveRelay): Promise<RelayServices> {
  const isLinked = () => tab.links()[relay.gateway.self] !== undefined;
  if (!isLinked()) {
    await new Promise<void>((resolve) => {
      const stop = tab.room.subscribe(() => {
        if (!isLinked()) return;
        stop();
        resolve();
      });
    });
  }
  return new RelayServices(tab.room.mesh, Date.now);
}

describe('tokens of a member, over the mesh', () => {
  it('are made, listed and taken back by the member alone; the relay refuses them from then on', async () => {
    const relay = await startLiveRelay();
    cleanups.add(() => relay.close());
    const [mine, other] = await Promise.all([
      startTabPeer(relay.invite, cleanups),
      startTabPeer(relay.invite, cleanups),
    ]);
    const [services, others] = await Promise.all([linked(mine, relay), linked(other, relay)]);
    const { signal } = new AbortController();

    const made = await services.createToken({ name: 'Claude', classes: ['read', 'write'], perMinute: 60 }, signal);
    expect(made.mcp).toBe(relay.relay.urls.mcp);
    expect(await services.listTokens(signal)).toMatchObject([
      { id: made.id, name: 'Claude', classes: ['read', 'write'], perMinute: 60, tools: null, expiresAt: null },
    ]);
    expect(await others.listTokens(signal)).toEqual([]);
    expect(await failureCode(() => others.revokeToken(made.id, signal))).toBe('not_found');
    expect(await failureCode(() => services.createToken({ name: 'x', classes: ['admin'] }, signal))).toBe('forbidden');
    expect(await failureCode(() => services.createToken({ name: '' }, signal))).toBe('invalid_input');

    const { urls } = relay.relay;
    const echo = () => api({ urls }, made.token, 'POST', 'api/tools/echo', { text: 'hi' });
    expect((await echo()).status).toBe(200);
    await services.revokeToken(made.id, signal);
    expect(codeOf(await echo())).toBe('unauthorized');
    expect(await services.listTokens(signal)).toEqual([]);

    // what was done is in the log, which the owner reads by the tools of the relay
    const ask = (tool: string, args: unknown) =>
      api({ urls }, relay.relay.token, 'POST', `api/tools/${tool}`, args) as Promise<{ body: { result: unknown } }>;
    const { body } = await ask('audit_log', { limit: 20 });
    const { entries } = body.result as { entries: { event: string; what: string; outcome: string }[] };
    expect(
      entries.map(({ event, what, outcome }) => [event, what.split(' ').at(-1), outcome].join(' ')).reverse(),
    ).toEqual([
      expect.stringMatching(/^relay\.started /),
      'token.created Claude ok',
      'call echo ok',
      'token.revoked Claude ok',
      'refused /api/tools/:name unauthorized',
    ]);
    const verdict = (await ask('verify_audit_log', {})).body.result as AuditVerdict;
    expect(verdict).toMatchObject({ ok: true, broken: null });
    // a member’s token may not
    const nosy = await services.createToken({ name: 'nosy' }, signal);
    expect(codeOf(await api({ urls }, nosy.token, 'POST', 'api/tools/audit_log', {}))).toBe('forbidden');
  });

  it('are good for nothing while the member is blocked', async () => {
    const relay = await startLiveRelay();
    cleanups.add(() => relay.close());
    const tab = await startTabPeer(relay.invite, cleanups);
    const services = await linked(tab, relay);
    const made = await services.createToken({ name: 'Claude' }, new AbortController().signal);
    const { urls, token } = relay.relay;
    const { device } = tab.room.replica;
    const owner = (tool: string) => api({ urls }, token, 'POST', `api/tools/${tool}`, { device });
    const echo = async () => (await api({ urls }, made.token, 'POST', 'api/tools/echo', { text: 'hi' })).status;
    expect(await echo()).toBe(200);
    // until the relay has the member's first entry, there is no such device to block
    await expect.poll(async () => (await owner('block_device')).status).toBe(200);
    expect(await echo()).toBe(401);
    expect((await owner('unblock_device')).status).toBe(200);
    expect(await echo()).toBe(200);
  });
});

describe('a trace', () => {
  it('reaches the tab that serves the call', async () => {
    const relay = await startLiveRelay();
    cleanups.add(() => relay.close());
    const tab = await startTabPeer(relay.invite, cleanups);
    const { tools } = relay.gateway;
    const offers = () => tools.list().some(({ places }) => places.some(({ peer }) => peer === tab.peer));
    if (!offers()) {
      await new Promise<void>((resolve) => {
        const stop = tools.subscribe(() => {
          if (!offers()) return;
          stop();
          resolve();
        });
      });
    }
    const id = '4bf92f3577b34da6a3ce929d0e0e4736';
    const { urls, token } = relay.relay;
    const seen = vi.spyOn(tab.room.local, 'call');
    const headers = { traceparent: `00-${id}-00f067aa0ba902b7-01` };
    const answer = await api({ urls }, token, 'POST', `api/tools/echo?place=${tab.peer}`, { text: 'hi' }, headers);
    expect(answer.status).toBe(200);
    expect(seen.mock.calls[0]?.[1]?.traceparent).toMatch(new RegExp(`^00-${id}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`));
    const log = await api({ urls }, token, 'GET', `api/audit?trace=${id}`);
    expect(log.body).toMatchObject({ entries: [{ what: 'echo', where: { peer: tab.peer }, outcome: 'ok' }] });
  });

  it('goes on to those whom the tab asks', async () => {
    const relay = await startLiveRelay();
    cleanups.add(() => relay.close());
    const [asked, next] = await Promise.all([
      startTabPeer(relay.invite, cleanups),
      startTabPeer(relay.invite, cleanups),
    ]);
    await Promise.all([linked(asked, relay), linked(next, relay)]);
    await next.room.replica.putSegment({
      dataset: cidOf(1),
      count: 1,
      engine: 'bm25/1',
      embedder: { id: 'none', version: 1, dimension: 0, normalised: true },
      builtAt: '2026-01-01T00:00:00Z',
    });
    const { device } = next.room.replica;
    const knows = () =>
      Object.keys(asked.room.replica.state().devices[device]?.segments ?? {}).length > 0 &&
      asked.room.mesh.list().some(({ place, tools }) => place.peer === next.peer && tools.length > 0);
    await expect.poll(knows, { timeout: 10_000 }).toBe(true);
    const offered = () =>
      relay.gateway.tools
        .list()
        .find(({ metadata }) => metadata.name === 'search_index')
        ?.places.some(({ peer }) => peer === asked.peer);
    await expect.poll(offered, { timeout: 10_000 }).toBe(true);

    const seen = vi.spyOn(next.room.local, 'call');
    const id = '4bf92f3577b34da6a3ce929d0e0e4736';
    const { urls, token } = relay.relay;
    const headers = { traceparent: `00-${id}-00f067aa0ba902b7-01` };
    await api({ urls }, token, 'POST', `api/tools/search_index?place=${asked.peer}`, { query: 'cells' }, headers);
    expect(seen.mock.calls.map(([{ tool }, options]) => [tool, options?.traceparent?.split('-')[1]])).toEqual([
      ['search_shard', id],
    ]);
  });
});

describe('the metrics of a whole relay', () => {
  it('tell of its calls, its peers and its circuits, each name once', async () => {
    const relay = await startLiveRelay();
    cleanups.add(() => relay.close());
    const { urls, token } = relay.relay;
    await api({ urls }, token, 'POST', 'api/tools/echo', { text: 'hi' });
    const { body } = await api({ urls }, null, 'GET', 'metrics');
    const lines = String(body).split('\n');
    expect(lines).toContain('tabmesh_runtime_calls_total{side="served",runtime="relay"} 1');
    expect(lines).toContain('tabmesh_tool_calls_total{side="made",tool="echo"} 1');
    expect(lines).toContain('tabmesh_peers{link="self"} 1');
    expect(lines).toContain('tabmesh_circuits 0');
    const types = lines.filter((line) => line.startsWith('# TYPE '));
    expect(new Set(types).size).toBe(types.length);
    expect(lines.some((line) => line.startsWith('nodejs_eventloop_lag_seconds '))).toBe(true);
  });
});
