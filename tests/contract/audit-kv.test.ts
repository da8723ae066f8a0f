import 'fake-indexeddb/auto';
import { describe, expect, it } from 'vitest';
import type { AuditRecord } from '../../src/contracts/audit.ts';
import type { KeyValueStore } from '../../src/contracts/kv.ts';
import { createAuditKv } from '../../src/mesh/storage/audit-kv.ts';
import { deleteIdbStore } from '../../src/mesh/storage/idb.browser.ts';
import { openIdbStore } from '../../src/mesh/storage/kv-idb.browser.ts';
import { createMemoryStore } from '../../src/mesh/storage/kv-memory.ts';
import { createProcessLock } from '../../src/mesh/storage/lock.ts';
import { TAB_AUDIT_LIMITS } from '../../src/monitor/audit/limits.ts';
import { memoryAudit } from '../support/audit.ts';
import { manualClock, settle } from '../support/manual-clock.ts';
import { auditStoreContract, type AuditPlace } from './audit-store.ts';

let count = 0;

/** A log's place in a key-value store, as the tabs of a device share it. */
async function kvPlace(kv: KeyValueStore, dispose: () => Promise<void>): Promise<AuditPlace> {
  const lock = createProcessLock();
  const prefix = (segment: number) => `audit/lines/${String(segment).padStart(10, '0')}/`;
  return {
    open: () => Promise.resolve(createAuditKv(kv, lock)),
    async tamper(segment, change) {
      const keys = await kv.keys(prefix(segment));
      const parts = await kv.getMany<string>(keys);
      const lines = parts.join('').trimEnd().split('\n');
      const [first = ''] = keys;
      const writes = keys.map((key) => ({ key, value: undefined as string | undefined }));
      await kv.batch([...writes, { key: first, value: `${change(lines).join('\n')}\n` }]);
    },
    async steal(segment) {
      await kv.batch((await kv.keys(prefix(segment))).map((key) => ({ key, value: undefined })));
    },
    dispose,
  };
}

auditStoreContract('a key-value store in memory', () => kvPlace(createMemoryStore(), () => Promise.resolve()));
auditStoreContract('IndexedDB', async () => {
  const name = `audit-${String(count++)}`;
  const kv = await openIdbStore(name);
  return kvPlace(kv, async () => {
    await kv.close();
    await deleteIdbStore(name);
  });
});

const { signal } = new AbortController();
const call = (n: number, more: Partial<AuditRecord> = {}): AuditRecord => ({
  event: 'served',
  who: { kind: 'device', id: 'device', name: 'Amber Heron' },
  what: 'echo',
  where: null,
  tookMs: n,
  outcome: 'ok',
  trace: null,
  ...more,
});

describe('the audit log of a tab', () => {
  it('is one chain over all tabs of the device', async () => {
    const kv = createMemoryStore();
    const lock = createProcessLock();
    const tabs = Array.from({ length: 3 }, () => memoryAudit(undefined, kv, lock));
    for (let n = 0; n < 30; n++) {
      tabs[n % 3]?.record(call(n));
      if (n % 4 === 0) await Promise.all(tabs.map((tab) => tab.flush()));
    }
    await Promise.all(tabs.map((tab) => tab.flush()));
    const [one] = tabs;
    expect(await one?.verify(signal)).toMatchObject({ ok: true, entries: 30, last: 29 });
  });

  it('keeps what a page that is closed had no time to chain, once, and is whole', async () => {
    const kv = createMemoryStore();
    const clock = manualClock();
    const closed = memoryAudit(clock, kv);
    closed.record(call(0));
    await closed.flush();
    closed.record(call(1, { args: { secret: 'plain' } }));
    closed.record(call(2));
    closed.leave();
    await settle();
    const shelved = await kv.getMany(await kv.keys('audit/shelf/'));
    expect(JSON.stringify(shelved)).not.toContain('plain');
    const next = memoryAudit(clock, kv);
    next.record(call(3));
    const { entries } = await next.read({ limit: 9 }, signal);
    expect(entries.map(({ tookMs }) => tookMs)).toEqual([3, 2, 1, 0]);
    expect(await kv.keys('audit/shelf/')).toEqual([]);
    expect(await next.verify(signal)).toMatchObject({ ok: true, entries: 4 });
  });

  it('goes on after its page was hidden away and shown again', async () => {
    const kv = createMemoryStore();
    const log = memoryAudit(manualClock(), kv);
    log.record(call(0));
    log.leave();
    log.record(call(1));
    const { entries } = await log.read({ limit: 9 }, signal);
    expect(entries.map(({ tookMs }) => tookMs)).toEqual([1, 0]);
  });

  it('writes in batches: a call waits for nothing', async () => {
    const kv = createMemoryStore();
    let batches = 0;
    const clock = manualClock();
    const counted: KeyValueStore = {
      ...kv,
      batch: (writes) => {
        batches++;
        return kv.batch(writes);
      },
    };
    const log = memoryAudit(clock, counted);
    for (let n = 0; n < 100; n++) log.record(call(n));
    expect(batches).toBe(0);
    await clock.advance(TAB_AUDIT_LIMITS.batchMs);
    await log.flush();
    expect(batches).toBe(1);
    expect(await log.verify(signal)).toMatchObject({ ok: true, entries: 100 });
  });

  it('adds up the calls of who calls without end, and counts every one', async () => {
    const clock = manualClock();
    const log = memoryAudit(clock);
    const flood = 50_000;
    for (let n = 0; n < flood; n++) log.record(call(1));
    log.record(call(7, { who: { kind: 'device', id: 'quiet', name: 'Quiet' } }));
    const { entries } = await log.read({ limit: 500, who: 'quiet' }, signal);
    expect(entries).toMatchObject([{ tookMs: 7 }]);
    const { last } = await log.verify(signal);
    expect(last).toBeLessThan(1_200);
    const [sum] = (await log.read({ limit: 1 }, signal)).entries;
    expect(sum).toMatchObject({ who: { id: 'device' }, what: 'echo', calls: flood - 1_000, tookMs: flood - 1_000 });
  });

  it('never leaves out a decision, however full its queue is', async () => {
    const log = memoryAudit(manualClock());
    for (let n = 0; n < 5_000; n++) log.record(call(n, { event: 'call' }));
    log.record(call(0, { event: 'approval.always', what: 'delete_dataset', tookMs: null }));
    expect(log.counts().lost).toBe(3_000);
    expect((await log.read({ limit: 1, tool: 'delete_dataset' }, signal)).entries).toMatchObject([
      { event: 'approval.always' },
    ]);
  });
});
