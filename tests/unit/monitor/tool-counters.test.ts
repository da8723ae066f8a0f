import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';
import { Counters } from '../../../src/monitor/tool-metrics-counters.ts';
import { HealthChecks, type HealthCheck } from '../../../src/monitor/tool-metrics-health.ts';
import { RoomMetrics } from '../../../src/peer/room/room-metrics.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { peerId } from '../../support/room.ts';

const signal = new AbortController().signal;

describe('counters', () => {
  it('MO8: show what was counted, set and observed, under the name and under name and labels', () => {
    const counters = new Counters({ clock: systemClock });
    counters.count('calls', { tool: 'echo' });
    counters.count('calls', { tool: 'other' }, 2);
    counters.gauge('members', 3);
    counters.gauge('members', 2);
    counters.observe('ms', 7);
    expect(counters.counter('calls')).toBe(3);
    expect(counters.counter('calls', { tool: 'echo' })).toBe(1);
    expect(counters.gaugeValue('members')).toBe(2);
    expect(counters.gaugeValue('nothing')).toBeNull();
    expect(counters.histogram('ms')).toEqual([7]);
    expect(counters.quantile('ms', 0.5)).toBe(0);
    counters.observe('ms', 9);
    expect(counters.quantile('ms', 0.75)).toBe(8.5);
  });

  it('MO22: a histogram keeps the last 1,000 values', () => {
    const counters = new Counters({ clock: systemClock });
    for (let i = 0; i < 1500; i++) counters.observe('ms', i);
    expect(counters.histogram('ms')).toHaveLength(1000);
    expect(counters.histogram('ms')[0]).toBe(500);
  });

  it('MO23: what is older than the retention goes', async () => {
    const clock = manualClock();
    const counters = new Counters({ clock, retentionMs: 1000 });
    counters.count('old');
    counters.observe('ms', 1);
    await clock.advance(900);
    counters.observe('ms', 2);
    counters.gauge('new', 1);
    await clock.advance(500);
    counters.cleanUp();
    expect(counters.counter('old')).toBe(0);
    expect(counters.histogram('ms')).toEqual([2]);
    expect(counters.gaugeValue('new')).toBe(1);
  });

  it('MO24, MO25: messages of peers are counted by type, and what waits to be counted is whole at the end', async () => {
    const metrics = new RoomMetrics(systemClock);
    const serve = metrics.counting((method: string) =>
      method === 'made/up' ? Promise.reject(new Error('no such method')) : Promise.resolve({}),
    );
    await serve('ping');
    await serve('ping');
    await serve('tools/call');
    await expect(serve('made/up')).rejects.toThrow('no such method');
    metrics.made.book({ tool: 'echo', runtime: 'mesh', place: peerId('a'), ms: 1, ok: true });
    metrics.flush();
    expect(metrics.counters.byLabel('p2p_messages')).toEqual({ ping: 2, 'tools/call': 1, refused: 1 });
    expect(metrics.counters.counter('p2p_messages')).toBe(4);
    expect((await metrics.report(signal)).made.stats.totalRequests).toBe(1);
  });

  it('a name that is made up again and again does not fill the memory', () => {
    const counters = new Counters({ clock: systemClock });
    for (let i = 0; i < 5000; i++) counters.count('calls', { id: String(i) });
    expect(Object.keys(counters.byLabel('calls')).length).toBeLessThan(1000);
    expect(counters.counter('calls')).toBe(5000);
  });
});

describe('health checks', () => {
  const result = async (check: HealthCheck) => {
    const checks = new HealthChecks(systemClock);
    checks.register('part', check);
    const [found] = await checks.run(signal);
    return found;
  };

  it('MO9, MO16: are known by their names, and say how long they took', async () => {
    const found = await result(() => ({ status: 'warning', message: 'late', details: { n: 1 } }));
    expect(found).toMatchObject({ component: 'part', status: 'warning', message: 'late', details: { n: 1 } });
    expect(found?.tookMs).toBeGreaterThanOrEqual(0);
    expect(found?.at).toBeGreaterThan(0);
  });

  it('MO10, MO11: are waited for, whether they answer at once or later', async () => {
    expect(await result(() => ({ status: 'healthy', message: 'now' }))).toMatchObject({ message: 'now' });
    const later = async () => (await Promise.resolve(), { status: 'healthy', message: 'later' } as const);
    expect(await result(later)).toMatchObject({ message: 'later' });
  });

  it('MO12: that say nothing have found nothing wrong', async () => {
    expect((await result(() => undefined))?.status).toBe('healthy');
  });

  it('MO13, MO15: that throw are critical, with the message', async () => {
    const found = await result(() => Promise.reject(new Error('the disk is gone')));
    expect(found).toMatchObject({ status: 'critical', message: 'the disk is gone' });
    const thrown = await result(() => {
      throw new TypeError('a bug');
    });
    expect(thrown).toMatchObject({ status: 'critical', message: 'a bug' });
  });

  it('MO14: of a part that is not there say that it is unavailable', async () => {
    const missing = Object.assign(new Error("Cannot find module 'x'"), { code: 'ERR_MODULE_NOT_FOUND' });
    const found = await result(() => Promise.reject(missing));
    expect(found?.status).toBe('critical');
    expect(found?.message).toContain('unavailable');
  });

  it('that hang are ended', async () => {
    const clock = manualClock();
    const checks = new HealthChecks(clock);
    checks.register('part', () => new Promise(() => undefined));
    const ended = checks.run(signal);
    await clock.advance(5000);
    expect((await ended)[0]).toMatchObject({ status: 'critical', message: expect.stringContaining('5 s') as string });
  });
});
