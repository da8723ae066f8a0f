import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DoctorCheck, DoctorReport } from '../../src/contracts/doctor.ts';
import { DOCTOR_CHECKS } from '../../src/contracts/doctor.ts';
import { spellings } from '../../src/mesh/doctor/spellings.ts';
import type { HeadlessRoom } from '../../src/peer/node/start-room.ts';
import { Cleanups, startMember } from '../support/live-peers.ts';
import { startLiveRelay, type LiveRelay } from '../support/live-relay.ts';

describe('the doctor on a real mesh', () => {
  const cleanups = new Cleanups();
  let live: LiveRelay;
  let member: HeadlessRoom;

  const examine = (onCheck: (check: DoctorCheck) => void = () => undefined) =>
    member.room.doctor.examine({ signal: AbortSignal.timeout(20_000), onCheck });
  const troubles = ({ checks }: DoctorReport) =>
    checks
      .filter(({ status }) => status === 'failed' || status === 'warning')
      .map(({ id, reason }) => `${id}: ${reason}`);
  const until = async (check: () => boolean) => {
    while (!check()) {
      await new Promise<void>((resolve) => {
        const unsubscribe = member.room.mesh.subscribe(() => {
          unsubscribe();
          resolve();
        });
      });
    }
  };

  beforeAll(async () => {
    live = await startLiveRelay();
    cleanups.add(() => live.close());
    member = await startMember(live, cleanups);
    await until(() => member.room.mesh.list().some(({ latencyMs }) => latencyMs !== null));
  });
  afterAll(() => cleanups.run());

  it('finds nothing wrong where nothing is, by what it has really asked', async () => {
    const told: string[] = [];
    const report = await examine(({ id }) => told.push(id));
    expect(troubles(report)).toEqual([]);
    expect(report.status).toBe('ok');
    expect(told.toSorted()).toEqual(DOCTOR_CHECKS.map(({ id }) => id).toSorted());
    const byId = Object.fromEntries(report.checks.map((check) => [check.id, check]));
    const host = new URL(live.relay.urls.app).host;
    expect(byId['relay_http']).toMatchObject({ status: 'ok', details: { relays: [{ host }] } });
    expect(byId['relay_socket']).toMatchObject({ status: 'ok', details: { relays: [{ host, state: 'joined' }] } });
    expect(byId['members']).toMatchObject({ status: 'ok', details: { proven: 1, introduced_only: [] } });
    expect(byId['peer_links']).toMatchObject({ details: { links: [{ peer: live.gateway.self, link: 'direct' }] } });
    expect(byId['clock']?.details['clocks']).toHaveLength(2);
    expect(byId['storage']?.details['quota_bytes']).toBeGreaterThan(0);
    for (const id of ['secure_context', 'service_worker', 'relay_reservation', 'ice_candidates']) {
      expect(byId[id]).toMatchObject({ status: 'skipped', reason: expect.stringMatching(/./) as string });
    }
  });

  it('is a tool that any MCP client of the relay can call, and tells no secret', async () => {
    const progress: (string | null)[] = [];
    const answer = await live.gateway.tools.call(
      { tool: 'connection_doctor', args: {}, principal: live.owner, place: member.peer },
      { onProgress: ({ message }) => progress.push(message) },
    );
    expect(answer).toMatchObject({ ok: true, value: { status: 'ok', kind: 'relay' } });
    expect(progress).toContain('Connection to the relay: ok');
    const text = JSON.stringify(answer);
    const secrets = [live.invite.secret, ...Object.values(live.invite.access)].flatMap(spellings);
    for (const secret of secrets) expect(text).not.toContain(secret);
  });

  it('finds nothing wrong with the relay’s own peer', async () => {
    const { self, tools } = live.gateway;
    const answer = await tools.call({ tool: 'connection_doctor', args: {}, principal: live.owner, place: self });
    expect(answer).toMatchObject({ ok: true, value: { status: 'ok' } });
  });

  it('lets pages of other relays ask whether this one is up', async () => {
    const { headers } = await fetch(new URL('/health', live.relay.urls.app));
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(headers.get('access-control-expose-headers')).toBe('date');
    expect(headers.get('cross-origin-resource-policy')).toBe('cross-origin');
    const config = await fetch(new URL('/config', live.relay.urls.app));
    expect(config.headers.get('access-control-allow-origin')).toBeNull();
    await Promise.all([config.body?.cancel()]);
  });

  it('names the relay when it is gone', async () => {
    const host = new URL(live.relay.urls.app).host;
    await live.close();
    await until(() => member.room.mesh.connection().state === 'offline');
    const report = await examine();
    expect(report.status).toBe('failed');
    const failed = report.checks.filter(({ status }) => status === 'failed');
    expect(failed.map(({ id }) => id)).toEqual(['relay_http', 'relay_socket', 'members']);
    for (const { id, reason, advice } of failed) {
      if (id !== 'members') expect(reason).toContain(host);
      expect(advice).toBeTruthy();
    }
    expect(report.tookMs).toBeLessThan(20_000);
  });
});
