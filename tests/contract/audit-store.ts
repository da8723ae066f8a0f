import { afterEach, describe, expect, it } from 'vitest';
import type { AuditRecord, AuditStore } from '../../src/contracts/audit.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import { FILE_AUDIT_LIMITS, type AuditLimits } from '../../src/monitor/audit/limits.ts';
import { createAuditLog, type AuditLog } from '../../src/monitor/audit/log.ts';
import { pageHashes } from '../../src/peer/tab/audit.ts';

/** A place where a log lies. It can be opened again, and somebody without the log can change what lies there. */
export interface AuditPlace {
  open(): Promise<AuditStore>;
  /** replaces the lines of a segment */
  tamper(segment: number, change: (lines: readonly string[]) => readonly string[]): Promise<void>;
  /** takes a segment away behind the log's back */
  steal(segment: number): Promise<void>;
  dispose(): Promise<void>;
}

const { signal } = new AbortController();
const SMALL: AuditLimits = { ...FILE_AUDIT_LIMITS, segmentBytes: 2_000, totalBytes: 6_000 };
const record = (n: number): AuditRecord => ({
  event: 'served',
  who: { kind: 'device', id: `device-${String(n % 2)}`, name: 'Amber Heron' },
  what: n % 3 === 0 ? 'echo' : 'search_index',
  where: null,
  tookMs: n,
  outcome: 'ok',
  args: { n },
  trace: null,
});

/** What every {@link AuditStore} does, seen through the log that is kept in it. */
export function auditStoreContract(name: string, make: () => Promise<AuditPlace>): void {
  describe(`an audit log in ${name}`, () => {
    const ends: (() => Promise<void>)[] = [];
    afterEach(async () => {
      for (const end of ends.splice(0).reverse()) await end();
    });
    const place = async () => {
      const made = await make();
      ends.push(() => made.dispose());
      return made;
    };
    const logAt = async (at: AuditPlace, limits = FILE_AUDIT_LIMITS): Promise<AuditLog> => {
      const hashes = pageHashes(new Uint8Array(32));
      const store = await at.open();
      const log = createAuditLog({ store, hashes, limits, keepArguments: false, clock: systemClock, log: silentLog });
      ends.push(() => log.close());
      return log;
    };
    const filled = async (at: AuditPlace, count: number, limits?: AuditLimits): Promise<AuditLog> => {
      const log = await logAt(at, limits);
      for (let n = 0; n < count; n++) {
        log.record(record(n));
        await log.flush();
      }
      return log;
    };

    it('is empty and whole at first', async () => {
      const log = await logAt(await place());
      expect(await log.read({ limit: 5 }, signal)).toEqual({ entries: [], more: false });
      expect(await log.verify(signal)).toMatchObject({ ok: true, entries: 0, head: null });
    });

    it('goes on where it was when it is opened again', async () => {
      const at = await place();
      await (await filled(at, 3)).close();
      const again = await logAt(at);
      again.record(record(3));
      const { entries } = await again.read({ limit: 9 }, signal);
      expect(entries.map(({ seq, tookMs }) => [seq, tookMs])).toEqual([
        [3, 3],
        [2, 2],
        [1, 1],
        [0, 0],
      ]);
      expect(await again.verify(signal)).toMatchObject({ ok: true, entries: 4, head: entries[0]?.hash });
    });

    it('tells what was changed, and where', async () => {
      const at = await place();
      const log = await filled(at, 6);
      await at.tamper(1, (lines) =>
        lines.map((line, n) => (n === 2 ? line.replace('"tookMs":2', '"tookMs":3') : line)),
      );
      expect(await log.verify(signal)).toMatchObject({
        ok: false,
        entries: 2,
        broken: { line: 3, reason: 'was changed: its hash does not fit' },
      });
    });

    it('tells what was taken out, and what was put elsewhere', async () => {
      const at = await place();
      const log = await filled(at, 6);
      const lines: string[] = [];
      await at.tamper(1, (whole) => {
        lines.push(...whole);
        return whole.toSpliced(3, 1);
      });
      expect(await log.verify(signal)).toMatchObject({
        ok: false,
        broken: { line: 4, reason: 'has number 4 after 2' },
      });
      await at.tamper(1, () => [...lines.slice(0, 4), lines[5] ?? '', lines[4] ?? '']);
      expect((await log.verify(signal)).ok).toBe(false);
      await at.tamper(1, () => lines);
      expect(await log.verify(signal)).toMatchObject({ ok: true, entries: 6 });
    });

    it('deletes the oldest when there is too much, and is still known to be whole; what is stolen shows', async () => {
      const at = await place();
      const log = await filled(at, 60, SMALL);
      const verdict = await log.verify(signal);
      expect(verdict).toMatchObject({ ok: true, broken: null });
      expect(verdict.first).toBeGreaterThan(0);
      const store = await at.open();
      const kept = await store.segments();
      expect(kept.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(SMALL.totalBytes + 2 * SMALL.segmentBytes);
      await log.close();
      await at.steal(kept[0]?.number ?? 0);
      expect(await (await logAt(at, SMALL)).verify(signal)).toMatchObject({
        ok: false,
        broken: { reason: 'entries before it are missing' },
      });
    });

    it('is whole when a crash has left what was to be deleted', async () => {
      const at = await place();
      const store = await at.open();
      const hashes = pageHashes(new Uint8Array(32));
      const crashing = { ...store, remove: () => Promise.reject(new Error('crashed')) };
      const log = createAuditLog({
        store: crashing,
        ...{ hashes, limits: SMALL, keepArguments: false, clock: systemClock, log: silentLog },
      });
      for (let n = 0; n < 40; n++) {
        log.record(record(n));
        await log.flush();
      }
      const { entries } = await log.read({ limit: 99 }, signal);
      expect(entries.some(({ what }) => what.startsWith('deleted the entries up to'))).toBe(true);
      expect(await log.verify(signal)).toMatchObject({ ok: true, first: 0 });
      await log.close();
    });

    it('holds nothing of what could not be written, and says so in the next entry', async () => {
      const at = await place();
      const store = await at.open();
      let full = false;
      const failing: AuditStore = {
        ...store,
        append: (...rest) => (full ? Promise.reject(new Error('no room')) : store.append(...rest)),
      };
      const hashes = pageHashes(new Uint8Array(32));
      const limits = FILE_AUDIT_LIMITS;
      const log = createAuditLog({
        store: failing,
        ...{ hashes, limits, keepArguments: false, clock: systemClock, log: silentLog },
      });
      ends.push(() => log.close());
      log.record(record(0));
      await log.flush();
      full = true;
      log.record(record(1));
      await log.flush();
      full = false;
      log.record(record(2));
      const { entries } = await log.read({ limit: 9 }, signal);
      expect(entries.map(({ what }) => what)).toEqual([
        'left out 1 entries: more came than could be written',
        'search_index',
        'echo',
      ]);
      expect(await log.verify(signal)).toMatchObject({ ok: true, entries: 3 });
    });
  });
}
