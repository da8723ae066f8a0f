import type { Ed25519PrivateKey } from '@libp2p/interface';
import type { KeyValueStore } from '../../contracts/kv.ts';
import type { Clock } from '../../lib/clock.ts';
import { systemClock } from '../../lib/clock.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import { loadOrCreateKey } from './device-key.ts';

/** A page that reloads frees its slot within this time; a duplicated tab waits it out once and takes another slot. */
const SLOT_WAIT_MS = 2000;
/** More tabs than anybody keeps open in one room; each slot has a key in the store. */
const MAX_SLOTS = 64;
const REMEMBERED = 'tabmesh/slot';

/** One tab's place among the tabs of its device: it alone uses the slot's key until it closes. */
export interface IdentitySlot {
  readonly slot: number;
  /** the libp2p key of this tab's peer */
  readonly privateKey: Ed25519PrivateKey;
  /** frees the slot; closing the tab does too */
  release(): void;
}

interface SlotOptions {
  readonly locks: Pick<LockManager, 'request'>;
  /** the tab's sessionStorage: survives a reload, and is copied when a tab is duplicated */
  readonly session: Pick<Storage, 'getItem' | 'setItem'>;
  /** the device's own store */
  readonly kv: KeyValueStore;
  /** how long to wait for the slot that this tab had before, ms */
  readonly waitMs?: number;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
}

/**
 * Takes an identity slot: the one that this tab had before its reload, else the lowest that is free. Two tabs never
 * hold one slot: two live peers with one peer id break relay reservations and peer maps.
 * @throws `conflict` when every slot is taken, `corrupt` or `storage_failed` from the key's store
 */
export async function acquireSlot(options: SlotOptions): Promise<IdentitySlot> {
  const held = (await takeRemembered(options)) ?? (await takeLowest(options));
  try {
    const privateKey = await loadOrCreateKey(options.kv, `slots/${held.slot}/key`);
    options.session.setItem(REMEMBERED, String(held.slot));
    return { ...held, privateKey };
  } catch (thrown) {
    held.release();
    throw toTabmeshError(thrown, 'storage_failed');
  }
}

interface HeldLock {
  readonly slot: number;
  release(): void;
}

async function takeRemembered(options: SlotOptions): Promise<HeldLock | undefined> {
  const text = options.session.getItem(REMEMBERED);
  if (text === null || !/^\d{1,2}$/.test(text) || Number(text) >= MAX_SLOTS) return undefined;
  const { clock = systemClock, waitMs = SLOT_WAIT_MS, signal } = options;
  const waiting = new AbortController();
  const outer = signal === undefined ? waiting.signal : AbortSignal.any([waiting.signal, signal]);
  const waited = clock.sleep(waitMs, outer).then(
    () => {
      waiting.abort(new DOMException('the slot stayed taken', 'TimeoutError'));
    },
    // aborted because the slot was taken, or by the caller: the request below tells which
    () => undefined,
  );
  try {
    return await take(options.locks, Number(text), { signal: outer });
  } catch (thrown) {
    if (waiting.signal.aborted && signal?.aborted !== true) return undefined;
    throw toTabmeshError(thrown, 'storage_failed');
  } finally {
    waiting.abort();
    await waited;
  }
}

async function takeLowest(options: SlotOptions): Promise<HeldLock> {
  for (let slot = 0; slot < MAX_SLOTS; slot++) {
    if (options.signal?.aborted === true) throw toTabmeshError(options.signal.reason, 'cancelled');
    const held = await take(options.locks, slot, { ifAvailable: true });
    if (held !== undefined) return held;
  }
  throw new TabmeshError('conflict', `${MAX_SLOTS} tabs of this app are open`, { hint: 'Close some of them.' });
}

/** Asks for the lock of a slot; once granted it is held until `release`. @returns undefined when it was not available */
function take(locks: SlotOptions['locks'], slot: number, options: LockOptions): Promise<HeldLock | undefined> {
  return new Promise((resolve, reject) => {
    locks
      .request(`tabmesh/slot/${slot}`, options, (lock) => {
        if (lock === null) {
          resolve(undefined);
          return undefined;
        }
        return new Promise<void>((release) => {
          resolve({ slot, release });
        });
      })
      .catch(reject);
  });
}
