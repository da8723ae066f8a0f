import { describe, expect, it } from 'vitest';
import type { CheckStatus, DoctorCheck, DoctorCheckId, DoctorProbes } from '../../../../src/contracts/doctor.ts';
import { DOCTOR_CHECKS } from '../../../../src/contracts/doctor.ts';
import type { Clock } from '../../../../src/lib/clock.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import type { PeerId } from '../../../../src/lib/ids.ts';
import { createDoctor } from '../../../../src/mesh/doctor/doctor.ts';
import { EXAMINATION_MS, runDoctor } from '../../../../src/mesh/doctor/run-doctor.ts';
import { healthyProbes, linkUnderTest, relayAwayProbes, relayUnderTest } from '../../../support/doctor-probes.ts';
import { manualClock } from '../../../support/manual-clock.ts';

const NO_SIGNAL = new AbortController().signal;

function examine(probes: DoctorProbes, clock: Clock = systemClock) {
  return runDoctor(probes, { kind: 'tab', clock, signal: NO_SIGNAL, secrets: [] });
}

async function check(id: DoctorCheckId, overrides: Partial<DoctorProbes>, clock: Clock = systemClock) {
  const { checks } = await examine(
    healthyProbes(overrides, () => clock.now()),
    clock,
  );
  const found = checks.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no check ${id}`);
  return found;
}

const never = () => new Promise<never>(() => undefined);
const skip = () => Promise.resolve({ skip: 'not here' });
const fails = () => Promise.reject(new Error('nobody there'));
const away = {
  ...relayUnderTest,
  peer: 'peer-2' as PeerId,
  ways: [{ host: '192.168.1.4:4747', origin: 'http://192.168.1.4:4747' }],
};
const onlyFirst = (good: unknown) =>
  ((relay: typeof relayUnderTest) => (relay.peer === away.peer ? fails() : Promise.resolve(good))) as never;
const DAY = 24 * 60 * 60 * 1000;

/** what is found, what it is called, and what the reason says of it */
const CASES: readonly (readonly [DoctorCheckId, CheckStatus, RegExp, Partial<DoctorProbes>])[] = [
  ['network', 'ok', /has a network/, {}],
  ['network', 'failed', /no network/, { network: () => Promise.resolve({ online: false }) }],
  ['network', 'skipped', /not here/, { network: skip }],
  ['secure_context', 'ok', /trusts/, {}],
  [
    'secure_context',
    'failed',
    /192\.168\.1\.4/,
    { secureContext: () => Promise.resolve({ secure: false, origin: 'http://192.168.1.4:4747' }) },
  ],
  ['secure_context', 'skipped', /not here/, { secureContext: skip }],
  ['service_worker', 'ok', /starts without/, {}],
  [
    'service_worker',
    'ok',
    /newer version/,
    { serviceWorker: () => Promise.resolve({ state: 'active', controls: true, waiting: true }) },
  ],
  [
    'service_worker',
    'ok',
    /being stored/,
    { serviceWorker: () => Promise.resolve({ state: 'installing', controls: false, waiting: false }) },
  ],
  [
    'service_worker',
    'warning',
    /not stored/,
    { serviceWorker: () => Promise.resolve({ state: 'none', controls: false, waiting: false }) },
  ],
  [
    'service_worker',
    'warning',
    /no service worker/,
    { serviceWorker: () => Promise.resolve({ state: 'unsupported', controls: false, waiting: false }) },
  ],
  ['service_worker', 'skipped', /not here/, { serviceWorker: skip }],
  ['page', 'ok', /in view/, {}],
  ['page', 'warning', /hidden/, { page: () => Promise.resolve({ visible: false, load: null, battery: null }) }],
  [
    'page',
    'warning',
    /battery is at 12 %/,
    { page: () => Promise.resolve({ visible: true, load: null, battery: { level: 0.12, charging: false } }) },
  ],
  [
    'page',
    'ok',
    /in view/,
    { page: () => Promise.resolve({ visible: true, load: null, battery: { level: 0.12, charging: true } }) },
  ],
  ['page', 'warning', /busy for 95 %/, { page: () => Promise.resolve({ visible: true, load: 0.95, battery: null }) }],
  ['page', 'skipped', /not here/, { page: skip }],
  ['local_network', 'ok', /Not needed/, {}],
  [
    'local_network',
    'ok',
    /Not needed/,
    {
      relays: () => [away],
      localNetwork: () => Promise.resolve({ permission: 'denied', pageHost: 'localhost:4747' }),
    },
  ],
  [
    'local_network',
    'ok',
    /allows it/,
    {
      relays: () => [away],
      localNetwork: () => Promise.resolve({ permission: 'granted', pageHost: 'app.example.org' }),
    },
  ],
  ['local_network', 'warning', /will ask/, { relays: () => [away] }],
  [
    'local_network',
    'failed',
    /192\.168\.1\.4:4747 is on the local network/,
    {
      relays: () => [away],
      localNetwork: () => Promise.resolve({ permission: 'denied', pageHost: 'app.example.org' }),
    },
  ],
  ['local_network', 'skipped', /not here/, { localNetwork: skip }],
  ['relay_http', 'ok', /^relay\.example\.org:443 answered in 12 ms\.$/, {}],
  [
    'relay_http',
    'warning',
    /192\.168\.1\.4:4747 does not answer \(nobody there\); relay\.example\.org:443 answered/,
    {
      relays: () => [relayUnderTest, away],
      relayHealth: onlyFirst({ host: 'relay.example.org:443', tookMs: 3, clockOffsetMs: null }),
    },
  ],
  ['relay_http', 'failed', /does not answer \(nobody there\)/, { relayHealth: fails }],
  ['relay_http', 'failed', /knows no relay/, { relays: () => [] }],
  ['relay_http', 'skipped', /not here/, { relayHealth: skip }],
  ['relay_socket', 'ok', /ping in 8 ms/, {}],
  ['relay_socket', 'failed', /does not answer/, { reachRelay: fails }],
  ['relay_socket', 'failed', /knows no relay/, { relays: () => [] }],
  ['relay_socket', 'warning', /not listed/, { relays: () => [{ ...relayUnderTest, state: 'connecting' }] }],
  [
    'relay_socket',
    'warning',
    /does not answer/,
    { relays: () => [relayUnderTest, away], reachRelay: onlyFirst({ host: null, pingMs: 3 }) },
  ],
  ['relay_reservation', 'ok', /for 60 min/, {}],
  ['relay_reservation', 'warning', /ends in 30 s/, { reservation: () => ({ expiresAt: Date.now() + 30_000 }) }],
  ['relay_reservation', 'failed', /knows no relay/, { relays: () => [] }],
  ['relay_reservation', 'skipped', /not here/, { reservation: () => ({ skip: 'not here' }) }],
  ['members', 'ok', /One member is here and proven/, {}],
  ['members', 'ok', /Nobody else/, { peers: () => [], connection: () => ({ state: 'alone' }) }],
  [
    'members',
    'warning',
    /One peer introduced by the relay has not proven .*\(no answer in time\)/,
    { peers: () => [linkUnderTest({ link: 'connecting' }, { failure: 'no answer in time', outbound: null })] },
  ],
  [
    'members',
    'failed',
    /No member is linked/,
    { peers: () => [], connection: () => ({ state: 'offline', message: '', retryAt: null }) },
  ],
  ['members', 'failed', /put out/, { connection: () => ({ state: 'refused', message: 'This device was put out.' }) }],
  ['ice_candidates', 'ok', /One address of the local network and the public address to offer/, {}],
  ['ice_candidates', 'ok', /No STUN server/, { iceServers: () => [] }],
  ['ice_candidates', 'failed', /no address at all/, { ice: () => Promise.resolve({ candidates: [], answered: 1 }) }],
  [
    'ice_candidates',
    'warning',
    /stun:stun\.example\.org:3478 did not answer/,
    {
      ice: async (servers, signal) => {
        const found = await healthyProbes().ice(servers, signal);
        return 'skip' in found || servers.length === 0 ? found : { candidates: [], answered: 0 };
      },
    },
  ],
  ['ice_candidates', 'skipped', /not here/, { ice: skip }],
  ['peer_links', 'ok', /One link, all direct; the slowest answers in 12 ms/, {}],
  [
    'peer_links',
    'warning',
    /1 of 2 links goes through a relay: Blue Finch \(no answer in time\)/,
    { peers: () => [linkUnderTest(), linkUnderTest({ link: 'relayed' }, { failure: 'no answer in time' })] },
  ],
  [
    'peer_links',
    'warning',
    /the other side made the link/,
    { peers: () => [linkUnderTest({ link: 'relayed' }, { outbound: false })] },
  ],
  ['peer_links', 'skipped', /No member/, { peers: () => [] }],
  ['relayed_limits', 'skipped', /No link/, {}],
  ['relayed_limits', 'ok', /no limit/, { peers: () => [linkUnderTest({ link: 'relayed' })] }],
  [
    'relayed_limits',
    'ok',
    /Blue Finch: 250 MB and 2 h left/,
    { peers: () => [linkUnderTest({ link: 'relayed' }, { limits: { bytes: 250_000_000, seconds: 7200 } })] },
  ],
  [
    'relayed_limits',
    'warning',
    /12 s left/,
    { peers: () => [linkUnderTest({ link: 'relayed' }, { limits: { bytes: null, seconds: 12 } })] },
  ],
  [
    'relayed_limits',
    'warning',
    /Blue Finch: 900 KB left/,
    { peers: () => [linkUnderTest({ link: 'relayed' }, { limits: { bytes: 900_000, seconds: null } })] },
  ],
  ['clock', 'ok', /agrees with 2 others/, {}],
  [
    'clock',
    'warning',
    /relay\.example\.org:443 is 40 s ahead of this/,
    {
      peers: () => [],
      relayHealth: () => Promise.resolve({ host: 'relay.example.org:443', tookMs: 1, clockOffsetMs: 40_000 }),
    },
  ],
  ['clock', 'failed', /Blue Finch is 24 h behind/, { timeOf: () => Promise.resolve(Date.now() - DAY) }],
  ['clock', 'skipped', /Neither/, { relayHealth: fails, timeOf: fails }],
  ['storage', 'ok', /5 MB of 1\.0 GB are used\.$/, {}],
  [
    'storage',
    'ok',
    /may delete it/,
    { storage: () => Promise.resolve({ usedBytes: 1, quotaBytes: 1e9, persisted: false }) },
  ],
  [
    'storage',
    'ok',
    /does not tell/,
    { storage: () => Promise.resolve({ usedBytes: null, quotaBytes: null, persisted: true }) },
  ],
  [
    'storage',
    'warning',
    /Nearly full/,
    { storage: () => Promise.resolve({ usedBytes: 92e6, quotaBytes: 1e8, persisted: true }) },
  ],
  [
    'storage',
    'failed',
    /^Full/,
    { storage: () => Promise.resolve({ usedBytes: 99e6, quotaBytes: 1e8, persisted: true }) },
  ],
  ['storage', 'skipped', /not here/, { storage: skip }],
];

describe.each(DOCTOR_CHECKS.map(({ id }) => id))('%s', (id) => {
  it.each(CASES.filter(([checked]) => checked === id).map(([, ...rest]) => rest))(
    '%s: %s',
    async (status, reason, overrides) => {
      const found = await check(id, overrides);
      expect(found.reason).toMatch(reason);
      expect(found.status).toBe(status);
      // whoever has to do something is told what
      if (status === 'failed' || status === 'warning') expect(found.advice).toBeTruthy();
    },
  );
});

it('waits a little for the reservation that follows a connection', async () => {
  const clock = manualClock();
  let held: { readonly expiresAt: number } | null = null;
  const found = check('relay_reservation', { reservation: () => held }, clock);
  await clock.advance(1_000);
  held = { expiresAt: clock.now() + 3_600_000 };
  await clock.advance(1_000);
  expect((await found).status).toBe('ok');
});

it('says that no relay keeps a place when none does', async () => {
  const clock = manualClock();
  const found = check('relay_reservation', { reservation: () => null }, clock);
  await clock.advance(4_000);
  expect(await found).toMatchObject({ status: 'failed', details: { reservations: [{ expires_at: null }] } });
});

it('tells each check as it ends, and all of them in order', async () => {
  const told: DoctorCheck[] = [];
  const report = await runDoctor(healthyProbes(), {
    kind: 'tab',
    clock: systemClock,
    signal: NO_SIGNAL,
    secrets: [],
    onCheck: (one) => told.push(one),
  });
  expect(report.checks.map(({ id }) => id)).toEqual(DOCTOR_CHECKS.map(({ id }) => id));
  expect(told).toHaveLength(DOCTOR_CHECKS.length);
  expect(new Set(told)).toEqual(new Set(report.checks));
  expect(report.status).toBe('ok');
});

it('names the relay when it is away', async () => {
  const clock = manualClock();
  const report = examine(relayAwayProbes(), clock);
  await clock.advance(4_000);
  const { status, checks } = await report;
  expect(status).toBe('failed');
  const failed = checks.filter((one) => one.status === 'failed');
  expect(failed.map(({ id }) => id)).toEqual(['relay_http', 'relay_socket', 'relay_reservation', 'members']);
  expect(failed[0]?.reason).toContain('relay.example.org:443');
});

const ASYNC_PROBES = [
  'network',
  'secureContext',
  'serviceWorker',
  'page',
  'localNetwork',
  'relayHealth',
  'ice',
  'storage',
  'reachRelay',
  'timeOf',
] as const;

it.each(ASYNC_PROBES)('goes on when %s throws at once, and fails that check alone', async (probe) => {
  const broken = healthyProbes({
    [probe]: () => {
      throw new TypeError('broken probe');
    },
  });
  const { checks } = await examine(broken);
  const failed = checks.filter(({ status }) => status === 'failed');
  expect(checks).toHaveLength(DOCTOR_CHECKS.length);
  // a member that does not tell its time is no failure
  expect(failed).toHaveLength(probe === 'timeOf' ? 0 : 1);
  for (const { reason, advice } of failed) {
    expect(reason).toContain('broken probe');
    expect(advice).toBeTruthy();
  }
});

it.each(ASYNC_PROBES)('ends in time when %s never answers', async (probe) => {
  const clock = manualClock();
  const report = examine(
    healthyProbes({ [probe]: never }, () => clock.now()),
    clock,
  );
  await clock.advance(EXAMINATION_MS + 1);
  const { checks, tookMs } = await report;
  expect(tookMs).toBeLessThanOrEqual(20_000);
  const late = checks.filter(({ status }) => status === 'failed');
  expect(late).toHaveLength(probe === 'timeOf' ? 0 : 1);
  for (const { reason } of late) expect(reason).toMatch(/did not finish within/);
});

it('ends in time when nothing answers', async () => {
  const clock = manualClock();
  const silent = healthyProbes({ ...Object.fromEntries(ASYNC_PROBES.map((probe) => [probe, never])) }, () =>
    clock.now(),
  );
  const relays = Array.from({ length: 8 }, (_, n) => ({ ...relayUnderTest, peer: `peer-${String(n)}` as PeerId }));
  const report = examine({ ...silent, relays: () => relays }, clock);
  await clock.advance(EXAMINATION_MS + 1);
  expect((await report).tookMs).toBeLessThanOrEqual(20_000);
});

it('stops when it is told to', async () => {
  const stop = new AbortController();
  const told: DoctorCheck[] = [];
  const report = runDoctor(healthyProbes({ storage: never, relayHealth: never }), {
    kind: 'tab',
    clock: systemClock,
    signal: stop.signal,
    secrets: [],
    onCheck: (one) => told.push(one),
  });
  stop.abort();
  await expect(report).rejects.toThrow();
  expect(told.map(({ id }) => id)).not.toContain('storage');
});

it('makes two examinations at a time at most', async () => {
  let running = 0;
  let most = 0;
  const gate = Promise.withResolvers<undefined>();
  const network: DoctorProbes['network'] = async () => {
    most = Math.max(most, ++running);
    await gate.promise;
    running--;
    return { online: true };
  };
  const doctor = createDoctor({
    kind: 'tab',
    probes: healthyProbes({ network }),
    secrets: () => [],
    clock: systemClock,
  });
  const all = [1, 2, 3, 4].map(() => doctor.examine({ signal: NO_SIGNAL }));
  gate.resolve(undefined);
  await Promise.all(all);
  expect(most).toBe(2);
});
