import { appendFile, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openAuditLog, type AuditLogOptions } from '../../../relay/audit/log.ts';
import { FILE_AUDIT_LIMITS as AUDIT_LIMITS } from '../../../src/monitor/audit/limits.ts';
import type { AuditLog } from '../../../src/monitor/audit/log.ts';
import type { AuditRecord } from '../../../src/contracts/audit.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { manualClock } from '../../support/manual-clock.ts';

const { signal } = new AbortController();

function call(n: number, more: Partial<AuditRecord> = {}): AuditRecord {
  return {
    event: 'call',
    who: { kind: 'token', id: `token-${String(n % 2)}`, name: 'Claude' },
    what: n % 3 === 0 ? 'echo' : 'search_index',
    where: { peer: '12D3KooWTab', name: 'Amber Heron' },
    tookMs: n,
    outcome: n % 5 === 0 ? 'timeout' : 'ok',
    args: { secret: `argument ${String(n)}` },
    trace: null,
    ...more,
  };
}

describe('the audit log', () => {
  let dataDir: string;
  const opened: AuditLog[] = [];
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'tabmesh-audit-'));
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((log) => log.close()));
    await rm(dataDir, { recursive: true });
  });

  const open = async (more: Partial<AuditLogOptions> = {}): Promise<AuditLog> => {
    const log = await openAuditLog({ dataDir, keepArguments: false, clock: systemClock, log: silentLog, ...more });
    opened.push(log);
    return log;
  };
  const files = async () => (await readdir(join(dataDir, 'audit'))).filter((name) => name.endsWith('.jsonl')).sort();
  const file = (name: string) => join(dataDir, 'audit', name);
  const lines = async (name: string) => (await readFile(file(name), 'utf8')).trimEnd().split('\n');

  it('holds what was recorded, newest first, and is whole', async () => {
    const log = await open();
    for (let n = 0; n < 7; n++) log.record(call(n));
    const { entries, more } = await log.read({ limit: 5 }, signal);
    expect([entries.map(({ seq }) => seq), more]).toEqual([[6, 5, 4, 3, 2], true]);
    const rest = await log.read({ limit: 5, before: 2 }, signal);
    expect([rest.entries.map(({ seq }) => seq), rest.more]).toEqual([[1, 0], false]);
    expect((await log.read({ limit: 9, tool: 'echo', who: 'token-0' }, signal)).entries.map(({ seq }) => seq)).toEqual([
      6, 0,
    ]);
    expect((await log.read({ limit: 9, outcome: 'timeout' }, signal)).entries.map(({ seq }) => seq)).toEqual([5, 0]);
    expect(await log.verify(signal)).toEqual({
      ok: true,
      entries: 7,
      first: 0,
      last: 6,
      head: entries[0]?.hash,
      broken: null,
    });
  });

  it('tells arguments only by a hash under a key of its own', async () => {
    const log = await open();
    log.record(call(1, { args: { b: 1, a: [2] } }));
    log.record(call(2, { args: { a: [2], b: 1 } }));
    log.record(call(3, { args: { a: [2], b: 2 } }));
    const { entries } = await log.read({ limit: 3 }, signal);
    const [third, second, first] = entries.map(({ argsHmac }) => argsHmac);
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect([second === first, third === first]).toEqual([true, false]);
    const text = await readFile(file('audit-000001.jsonl'), 'utf8');
    expect(text).not.toContain('"args":');
    const { mode } = await stat(file('hmac-key'));
    expect(mode & 0o077).toBe(0);
  });

  it('keeps arguments when it is told to', async () => {
    const log = await open({ keepArguments: true });
    log.record(call(1));
    const large = 'x'.repeat(100_000);
    log.record(call(2, { args: { large } }));
    const { entries } = await log.read({ limit: 2 }, signal);
    expect(entries[1]?.args).toEqual({ secret: 'argument 1' });
    expect(entries[0]?.args).toBeUndefined();
    expect(entries[0]?.argsHmac).not.toBeNull();
  });

  it('goes on where it was after a restart', async () => {
    const first = await open();
    first.record(call(0));
    await first.close();
    const second = await open();
    second.record(call(1));
    expect(await second.verify(signal)).toMatchObject({ ok: true, entries: 2, last: 1 });
  });

  it('loses nothing on an orderly stop', async () => {
    const log = await open({ clock: manualClock() });
    for (let n = 0; n < 1000; n++) log.record(call(n));
    await log.close();
    expect(await lines('audit-000001.jsonl')).toHaveLength(1000);
    log.record(call(1000));
    expect(log.counts()).toEqual({ waiting: 0, written: 1000, lost: 0 });
  });

  it('cuts off what a crash has left half-written, and says so', async () => {
    const first = await open();
    first.record(call(0));
    await first.close();
    await appendFile(file('audit-000001.jsonl'), '{"v":1,"seq":1,"at":"20');
    const second = await open();
    second.record(call(1));
    expect(await second.verify(signal)).toMatchObject({ ok: true, entries: 3 });
    const { entries } = await second.read({ limit: 9 }, signal);
    expect(entries.map(({ event }) => event)).toEqual(['call', 'audit.note', 'call']);
    expect(entries[1]?.what).toContain('23 bytes');
  });

  it('shows every change, wherever it was made', async () => {
    const log = await open();
    for (let n = 0; n < 12; n++) log.record(call(n));
    await log.close();
    const whole = await lines('audit-000001.jsonl');
    const line = fc.nat({ max: whole.length - 1 });
    const check = async (changed: readonly string[]) => {
      await writeFile(file('audit-000001.jsonl'), `${changed.join('\n')}\n`);
      const again = await open();
      const verdict = await again.verify(signal);
      await again.close();
      return verdict;
    };
    await fc.assert(
      fc.asyncProperty(line, fc.nat(), fc.integer({ min: 1, max: 9 }), async (at, where, by) => {
        const text = whole[at] ?? '';
        const place = where % text.length;
        const changed = String.fromCharCode((text.charCodeAt(place) ^ by) & 0x7f);
        if (changed === text[place] || changed === '\n') return;
        const lines = whole.with(at, text.slice(0, place) + changed + text.slice(place + 1));
        expect(await check(lines)).toMatchObject({ ok: false, broken: { line: at + 1 } });
      }),
      { numRuns: 50 },
    );
    for (let at = 0; at < whole.length - 1; at++) {
      expect((await check(whole.toSpliced(at, 1))).ok).toBe(false);
      expect((await check(whole.with(at, whole[at + 1] ?? '').with(at + 1, whole[at] ?? ''))).ok).toBe(false);
    }
    // only who noted the head can tell that the end is missing
    const cut = await check(whole.slice(0, -1));
    expect([cut.ok, cut.last]).toEqual([true, 10]);
    expect(await check(whole)).toMatchObject({ ok: true, last: 11 });
  });

  it('begins new files, deletes the oldest, and is still known to be whole', async () => {
    const limits = { ...AUDIT_LIMITS, segmentBytes: 2_000, totalBytes: 6_000 };
    const log = await open({ limits });
    for (let n = 0; n < 60; n++) {
      log.record(call(n));
      await log.flush();
    }
    const kept = await files();
    expect(kept.length).toBeGreaterThan(2);
    expect(kept[0]).not.toBe('audit-000001.jsonl');
    const sizes = await Promise.all(kept.map(async (name) => (await stat(file(name))).size));
    expect(sizes.reduce((a, b) => a + b)).toBeLessThan(6_000 + 3 * 2_000);
    const verdict = await log.verify(signal);
    expect(verdict.ok).toBe(true);
    expect(verdict.first).toBeGreaterThan(0);
    // what somebody else deletes is another thing
    await log.close();
    await rm(file(kept[0] ?? ''));
    expect(await (await open({ limits })).verify(signal)).toMatchObject({
      ok: false,
      broken: { reason: 'entries before it are missing' },
    });
  });

  it('deletes files that are too old', async () => {
    const clock = manualClock();
    const log = await open({ clock, limits: { ...AUDIT_LIMITS, segmentBytes: 1, maxAgeMs: 1000 } });
    log.record(call(0));
    await log.flush();
    log.record(call(1));
    await log.flush();
    expect(await files()).toHaveLength(2);
    await clock.advance(Date.now() - clock.now() + 5000);
    log.record(call(2));
    await log.flush();
    expect(await files()).toEqual(['audit-000003.jsonl']);
    expect(await log.verify(signal)).toMatchObject({ ok: true, first: 2 });
  });

  it('leaves out what a full queue cannot take, and says how much', async () => {
    const clock = manualClock();
    const log = await open({ clock, limits: { ...AUDIT_LIMITS, queue: 10 } });
    for (let n = 0; n < 25; n++) log.record(call(n));
    expect(log.counts()).toEqual({ waiting: 10, written: 0, lost: 15 });
    const { entries } = await log.read({ limit: 1 }, signal);
    expect(entries[0]?.what).toContain('left out 15 entries');
    expect(await log.verify(signal)).toMatchObject({ ok: true, entries: 11 });
  });

  it('costs a call next to nothing', async () => {
    const log = await open({ clock: manualClock() });
    const times: number[] = [];
    for (let n = 0; n < 5_000; n++) {
      const before = performance.now();
      log.record(call(n));
      times.push(performance.now() - before);
    }
    // a hundredth of what the fastest call over HTTP takes, with room for a busy machine
    expect(times.sort((a, b) => a - b)[2_500]).toBeLessThan(0.1);
  });

  it('that was cut to nothing starts anew, and is not whole when it had begun before', async () => {
    const log = await open();
    log.record(call(0));
    log.record(call(1));
    await log.close();
    await truncate(file('audit-000001.jsonl'), 0);
    const again = await open();
    again.record(call(2));
    expect(await again.verify(signal)).toMatchObject({ ok: true, entries: 1, first: 0 });
  });
});
