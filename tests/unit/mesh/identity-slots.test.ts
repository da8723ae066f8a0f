import { beforeEach, describe, expect, it } from 'vitest';
import type { KeyValueStore } from '../../../src/contracts/kv.ts';
import { acquireSlot } from '../../../src/mesh/identity/slots.browser.ts';
import type { IdentitySlot } from '../../../src/mesh/identity/slots.browser.ts';
import { createMemoryStore } from '../../../src/mesh/storage/kv-memory.ts';
import { manualClock, settle } from '../../support/manual-clock.ts';
import type { ManualClock } from '../../support/manual-clock.ts';

type Session = Map<string, string>;

/** Web Locks as the specification has them, as far as slots use them: queue, `ifAvailable`, abort while waiting. */
function fakeLocks(): Pick<LockManager, 'request'> {
  const held = new Map<string, Promise<unknown>>();
  const request = async (name: string, options: LockOptions, callback: LockGrantedCallback<unknown>) => {
    if (options.ifAvailable === true && held.has(name)) return await callback(null);
    while (held.has(name)) {
      await new Promise<void>((resolve, reject) => {
        options.signal?.addEventListener('abort', () => {
          reject(options.signal?.reason as Error);
        });
        void held.get(name)?.finally(resolve);
      });
    }
    const work = Promise.resolve(callback({ name, mode: 'exclusive' }));
    held.set(name, work);
    try {
      return await work;
    } finally {
      held.delete(name);
    }
  };
  return { request: request as LockManager['request'] };
}

describe('identity slots', () => {
  let locks: Pick<LockManager, 'request'>;
  let kv: KeyValueStore;
  let clock: ManualClock;

  const open = (session: Session, signal?: AbortSignal): Promise<IdentitySlot> =>
    acquireSlot({
      locks,
      kv,
      clock,
      session: { getItem: (key) => session.get(key) ?? null, setItem: (key, value) => void session.set(key, value) },
      ...(signal === undefined ? {} : { signal }),
    });
  const idOf = (slot: IdentitySlot) => slot.privateKey.publicKey.toString();

  beforeEach(() => {
    locks = fakeLocks();
    kv = createMemoryStore();
    clock = manualClock();
  });

  it('gives each tab the lowest free one, with a key of its own', async () => {
    const tabs = [await open(new Map()), await open(new Map()), await open(new Map())];
    expect(tabs.map(({ slot }) => slot)).toEqual([0, 1, 2]);
    expect(new Set(tabs.map(idOf)).size).toBe(3);
    tabs[1]?.release();
    await settle();
    const next = await open(new Map());
    expect(next.slot).toBe(1);
    expect(idOf(next)).toBe(idOf(tabs[1]!));
  });

  it('is found again after a reload, although a lower one is free', async () => {
    const first = await open(new Map());
    const session: Session = new Map();
    const second = await open(session);
    first.release();
    second.release();
    await settle();
    const reloaded = await open(session);
    expect(reloaded.slot).toBe(1);
    expect(idOf(reloaded)).toBe(idOf(second));
    expect(clock.sleepers()).toBe(0);
  });

  it('waits for the page before the reload to let go', async () => {
    const session: Session = new Map();
    const before = await open(session);
    const after = open(session);
    await clock.advance(1500);
    before.release();
    expect((await after).slot).toBe(0);
  });

  it('gives a duplicated tab another slot, after two seconds', async () => {
    const session: Session = new Map();
    const original = await open(session);
    const copy: Session = new Map(session);
    const opening = open(copy);
    await clock.advance(2000);
    const duplicate = await opening;
    expect([original.slot, duplicate.slot]).toEqual([0, 1]);
    original.release();
    await settle();
    // and each keeps its own from then on
    duplicate.release();
    await settle();
    expect((await open(copy)).slot).toBe(1);
    expect((await open(session)).slot).toBe(0);
  });

  it('does not care for nonsense in the session', async () => {
    for (const nonsense of ['-1', '1e3', '99', 'x', '']) {
      const slot = await open(new Map([['tabmesh/slot', nonsense]]));
      expect(slot.slot).toBe(0);
      slot.release();
      await settle();
    }
  });

  it('stops waiting when the caller does', async () => {
    const session: Session = new Map();
    await open(session);
    const caller = new AbortController();
    const opening = open(new Map(session), caller.signal);
    await settle();
    caller.abort();
    await expect(opening).rejects.toMatchObject({ name: 'TabmeshError', code: 'cancelled' });
    expect(clock.sleepers()).toBe(0);
  });

  it('frees the slot when its key cannot be read', async () => {
    await kv.put('slots/0/key', 'nonsense');
    await expect(open(new Map())).rejects.toMatchObject({ code: 'corrupt' });
    await settle();
    await kv.delete('slots/0/key');
    expect((await open(new Map())).slot).toBe(0);
  });

  it('says when there are too many tabs', async () => {
    for (let n = 0; n < 64; n++) await open(new Map());
    await expect(open(new Map())).rejects.toMatchObject({ code: 'conflict' });
  });

  it('works with the Web Locks of the platform', async () => {
    locks = navigator.locks;
    const session: Session = new Map();
    const first = await open(session);
    const second = await open(new Map());
    expect(first.slot).not.toBe(second.slot);
    first.release();
    const again = await open(session);
    expect(again.slot).toBe(first.slot);
    again.release();
    second.release();
  });
});
