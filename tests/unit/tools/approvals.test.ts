import { describe, expect, it } from 'vitest';
import type { Principal } from '../../../src/contracts/tools.ts';
import type { DeviceId, PeerId } from '../../../src/lib/ids.ts';
import { createListeners } from '../../../src/lib/listeners.ts';
import { createMemoryStore } from '../../../src/mesh/storage/kv-memory.ts';
import { createProcessLock } from '../../../src/mesh/storage/lock.ts';
import type { AccessChannel } from '../../../src/tools/approvals/class-access.ts';
import {
  ATTENDED_WAIT_MS,
  COOL_DOWN_MS,
  MAX_COOL_DOWN_MS,
  MAX_PENDING,
  MAX_PENDING_PER_ASKER,
  REQUEST_MS,
} from '../../../src/tools/approvals/limits.ts';
import { openApprovals } from '../../support/access.ts';
import { manualClock, settle } from '../../support/manual-clock.ts';
import { failure } from '../../support/tools.ts';

const device = (n: number): Principal => ({
  kind: 'device',
  device: `device-${String(n)}` as DeviceId,
  peer: `peer-${String(n)}` as PeerId,
});
const [alice, bob] = [device(1), device(2)];
const token = (tokenId: string): Principal => ({ kind: 'token', tokenId, name: tokenId, relay: 'relay' as PeerId });

type Opened = Awaited<ReturnType<typeof openApprovals>>;

/** Calls `delete_it`; `handle` of the approval that is pending, or why it was refused. */
async function call(
  { gate }: Opened,
  principal = alice,
  more: { args?: unknown; approval?: string; tool?: string } = {},
) {
  const { args = { data: 'x' }, approval, tool = 'delete_it' } = more;
  await gate.pass({ tool, access: 'write', args, principal, approval }, undefined);
  return 'runs';
}
const refused = (opened: Opened, ...rest: Parameters<typeof call> extends [unknown, ...infer R] ? R : never) =>
  failure(() => call(opened, ...rest));
const handleOf = async (
  opened: Opened,
  ...rest: Parameters<typeof refused> extends [unknown, ...infer R] ? R : never
) => String((await refused(opened, ...rest)).details['handle']);

describe('approvals', () => {
  it('tells a caller that approval is pending, and runs the repeated call exactly once', async () => {
    const at = await openApprovals();
    const pending = await refused(at);
    expect(pending).toMatchObject({ code: 'approval_pending', retryable: true });
    const approval = String(pending.details['handle']);
    expect(await refused(at, alice, { approval })).toMatchObject({
      code: 'approval_pending',
      details: { handle: approval },
    });
    await at.book.decide(approval, 'once');
    expect(await call(at, alice, { approval })).toBe('runs');
    expect(await refused(at, alice, { approval })).toMatchObject({ code: 'conflict' });
    expect(await handleOf(at)).not.toBe(approval);
  });

  it('runs once when the call is repeated twice at the same time', async () => {
    const at = await openApprovals();
    const approval = await handleOf(at);
    await at.book.decide(approval, 'once');
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => call(at, alice, { approval })));
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
  });

  it('lets a call run that lost its handle: it is the call that was approved', async () => {
    const at = await openApprovals();
    await at.book.decide(await handleOf(at), 'once');
    expect(await call(at)).toBe('runs');
    expect(await refused(at)).toMatchObject({ code: 'approval_pending' });
  });

  it('asks no more for this principal and tool after "always", until that is revoked', async () => {
    const at = await openApprovals();
    const approval = await handleOf(at);
    await at.book.decide(approval, 'always');
    expect(await call(at, alice, { args: { data: 'other' } })).toBe('runs');
    expect(await call(at, alice, { approval })).toBe('runs');
    expect(await refused(at, alice, { approval })).toMatchObject({ code: 'conflict' });
    expect(await refused(at, alice, { tool: 'erase_it' })).toMatchObject({ code: 'approval_pending' });
    expect(await refused(at, bob)).toMatchObject({ code: 'approval_pending' });
    const [standing] = at.book.standing();
    expect(standing).toMatchObject({ tool: 'delete_it', decision: 'allow', expiresAt: null });
    await at.book.revoke(standing!.id);
    expect(await refused(at, alice, { args: { data: 'third' } })).toMatchObject({ code: 'approval_pending' });
  });

  it('takes an approval that was not used back with the answer that gave it', async () => {
    const at = await openApprovals();
    const approval = await handleOf(at);
    await at.book.decide(approval, 'always');
    await at.book.revoke(at.book.standing()[0]!.id);
    expect(await refused(at, alice, { approval })).toMatchObject({ code: 'not_found' });
  });

  it('does not ask again for a while after "no", and longer after each', async () => {
    const clock = manualClock();
    const at = await openApprovals({ clock });
    let wait = COOL_DOWN_MS;
    for (let i = 0; i < 3; i++) {
      const approval = await handleOf(at);
      await at.book.decide(approval, 'no');
      expect(await refused(at)).toMatchObject({ code: 'forbidden', details: { denied: true, retryAfterMs: wait } });
      expect(await refused(at, alice, { approval })).toMatchObject({ code: 'forbidden' });
      expect(await refused(at, bob, { args: { data: String(i) } })).not.toMatchObject({ code: 'forbidden' });
      expect(at.book.standing()).toMatchObject([{ decision: 'deny' }]);
      await clock.advance(wait);
      expect(at.book.standing()).toEqual([]);
      wait *= 2;
    }
    await clock.advance(2 * MAX_COOL_DOWN_MS);
    await at.book.decide(await handleOf(at), 'no');
    expect(await refused(at)).toMatchObject({ details: { retryAfterMs: COOL_DOWN_MS } });
  });

  describe("another principal's handle", () => {
    it.each<[string, Principal, object]>([
      ['of another device', bob, {}],
      ['of a token', token('t'), {}],
      ['for another tool', alice, { tool: 'erase_it' }],
      ['that came through somebody', { ...alice, via: [{ device: 'device-2' as DeviceId }] }, {}],
    ])('is worth nothing in a call %s, before and after it is approved', async (_what, principal, more) => {
      const at = await openApprovals();
      const approval = await handleOf(at);
      expect(await refused(at, principal, { ...more, approval })).toMatchObject({ code: 'not_found' });
      await at.book.decide(approval, 'once');
      expect(await refused(at, principal, { ...more, approval })).toMatchObject({ code: 'not_found' });
      expect(await call(at, alice, { approval })).toBe('runs');
    });

    it('is worth nothing when it was made up', async () => {
      const at = await openApprovals();
      expect(await refused(at, alice, { approval: 'made.up' })).toMatchObject({ code: 'not_found' });
      expect(at.book.pending()).toEqual([]);
    });

    it('tells tokens of two relays with the same id apart', async () => {
      const at = await openApprovals();
      const [one, other] = ['relay-1', 'relay-2'].map(
        (issuer) => ({ ...token('same'), issuer: issuer as DeviceId }) as Principal,
      );
      const approval = await handleOf(at, one);
      await at.book.decide(approval, 'always');
      expect(await refused(at, other)).toMatchObject({ code: 'approval_pending' });
      expect(await call(at, one, { approval })).toBe('runs');
    });
  });

  it('lets nothing run but the arguments that were approved', async () => {
    const at = await openApprovals();
    const approval = await handleOf(at);
    await at.book.decide(approval, 'once');
    expect(await refused(at, alice, { approval, args: { data: 'y' } })).toMatchObject({ code: 'conflict' });
    expect(await call(at, alice, { approval, args: { data: 'x' } })).toBe('runs');
  });

  it('asks one thing at a time of each asker and tool, and a few of each asker', async () => {
    const at = await openApprovals();
    const approval = await handleOf(at);
    for (let i = 0; i < 5; i++) await handleOf(at);
    expect(at.book.pending()).toHaveLength(1);
    expect(await refused(at, alice, { args: { data: 'y' } })).toMatchObject({
      code: 'rate_limited',
      details: { waiting: approval },
    });
    for (let i = 1; i < MAX_PENDING_PER_ASKER; i++) await handleOf(at, alice, { tool: `tool_${String(i)}` });
    expect(await refused(at, alice, { tool: 'one_more' })).toMatchObject({ code: 'rate_limited' });
    expect(at.book.pending()).toHaveLength(MAX_PENDING_PER_ASKER);
  });

  it('asks a device and all its tokens as one: another token is no way round a "no" or a limit', async () => {
    const at = await openApprovals();
    const made = (n: number): Principal => ({ ...token(`t${String(n)}`), maker: 'device-1' as DeviceId }) as Principal;
    const approval = await handleOf(at, made(1));
    expect(at.book.pending()).toMatchObject([{ asker: { name: 't1', class: 'relay', device: 'device-1' } }]);
    for (const other of [made(2), alice]) {
      expect(await refused(at, other, { args: {} })).toMatchObject({
        code: 'rate_limited',
        details: { waiting: approval },
      });
      // what one was allowed is nobody else's
      expect(await refused(at, other, { approval })).toMatchObject({ code: 'not_found' });
    }
    for (let i = 1; i < MAX_PENDING_PER_ASKER; i++) await handleOf(at, made(i), { tool: `tool_${String(i)}` });
    expect(await refused(at, made(99), { tool: 'one_more' })).toMatchObject({ code: 'rate_limited' });
    expect(await refused(at, bob, { tool: 'one_more' })).toMatchObject({ code: 'approval_pending' });
    expect(await refused(at, token('of the owner'), { tool: 'one_more' })).toMatchObject({ code: 'approval_pending' });
    await at.book.decide(approval, 'no');
    for (const each of [made(1), made(2), alice]) {
      expect(await refused(at, each)).toMatchObject({
        code: 'forbidden',
        details: { retryAfterMs: expect.anything() },
      });
    }
    expect(await refused(at, bob)).toMatchObject({ code: 'approval_pending' });
  });

  it('goes on allowing a device what it was allowed when one of its tokens is refused', async () => {
    const clock = manualClock();
    const at = await openApprovals({ clock });
    const made = { ...token('t'), maker: 'device-1' as DeviceId } as Principal;
    await at.book.decide(await handleOf(at), 'always');
    for (const wait of [COOL_DOWN_MS, 2 * COOL_DOWN_MS]) {
      await at.book.decide(await handleOf(at, made), 'no');
      expect(await refused(at, made)).toMatchObject({ code: 'forbidden', details: { retryAfterMs: wait } });
      expect(await call(at)).toBe('runs');
      await clock.advance(wait);
    }
  });

  it('bounds what waits in all, whoever asks', async () => {
    const at = await openApprovals();
    for (let i = 0; i < MAX_PENDING; i++) await handleOf(at, device(i));
    expect(await refused(at, device(99))).toMatchObject({ code: 'rate_limited' });
    expect(at.book.pending()).toHaveLength(MAX_PENDING);
  });

  it('forgets what nobody has answered for a day', async () => {
    const clock = manualClock();
    const at = await openApprovals({ clock });
    const approval = await handleOf(at);
    await clock.advance(REQUEST_MS);
    expect(at.book.pending()).toEqual([]);
    expect(await failure(() => at.book.decide(approval, 'once'))).toMatchObject({ code: 'not_found' });
    expect(await refused(at, alice, { approval })).toMatchObject({ code: 'not_found' });
  });

  it('waits a while for somebody who looks, and runs at once when they allow it', async () => {
    const clock = manualClock();
    const at = await openApprovals({ clock });
    const leave = at.book.attend();
    const running = call(at);
    await expect.poll(() => at.book.pending()).toHaveLength(1);
    await at.book.decide(at.book.pending()[0]!.handle, 'once');
    expect(await running).toBe('runs');

    const late = refused(at);
    await expect.poll(() => clock.sleepers()).toBe(1);
    await clock.advance(ATTENDED_WAIT_MS);
    expect(await late).toMatchObject({ code: 'approval_pending' });

    leave();
    expect(await refused(at)).toMatchObject({ code: 'approval_pending' });
    expect(clock.sleepers()).toBe(0);
  });

  it('stops waiting when the caller gives up; the question stays', async () => {
    const at = await openApprovals({ clock: manualClock() });
    at.book.attend();
    const giveUp = new AbortController();
    const gated = { tool: 'delete_it', access: 'write', args: {}, principal: alice, approval: undefined } as const;
    const waiting = failure(() => at.gate.pass(gated, giveUp.signal));
    await expect.poll(() => at.book.pending()).toHaveLength(1);
    giveUp.abort();
    expect(await waiting).toMatchObject({ code: 'cancelled' });
    expect(at.book.pending()).toHaveLength(1);
  });

  it('is the same in all tabs of a device, and after a reload', async () => {
    const shared = { store: createMemoryStore(), lock: createProcessLock(), channel: loudChannel() };
    const [one, other] = [await openApprovals(shared), await openApprovals(shared)];
    const approval = await handleOf(one);
    await expect.poll(() => other.book.pending()).toMatchObject([{ handle: approval, args: '{"data":"x"}' }]);
    await other.book.decide(approval, 'once');
    await expect.poll(() => one.book.pending()).toEqual([]);
    const outcomes = await Promise.allSettled([call(one, alice, { approval }), call(other, alice, { approval })]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await other.book.setClassAccess({ member: ['read'], relay: [] });
    await expect.poll(() => one.book.classAccess()).toEqual({ member: ['read'], relay: [] });
    const reloaded = await openApprovals(shared);
    expect(reloaded.settings.current()).toEqual({ member: ['read'], relay: [] });
    expect(await refused(reloaded, alice, { approval })).toMatchObject({ code: 'conflict' });
  });

  it('lets nobody be granted administration by class', async () => {
    const { book } = await openApprovals();
    const error = await failure(() => book.setClassAccess({ member: ['admin'], relay: [] } as never));
    expect(error.code).toBe('invalid_input');
    expect(book.classAccess()).toEqual({ member: ['read', 'compute'], relay: ['read', 'compute'] });
  });

  it('does not touch what a newer app has kept', async () => {
    const store = createMemoryStore();
    await store.put('access/approvals', { version: 2 });
    expect(await failure(() => openApprovals({ store }))).toMatchObject({ code: 'format_newer' });
  });

  it('writes nothing for a question that is repeated at once', async () => {
    const store = createMemoryStore();
    let writes = 0;
    const counted = { ...store, put: (key: string, value: unknown) => (writes++, store.put(key, value)) };
    const at = await openApprovals({ store: counted });
    for (let i = 0; i < 50; i++) await handleOf(at);
    await settle();
    expect(writes).toBe(1);
  });
});

/** Tells all who listen, the announcer too: a BroadcastChannel would leave that one out. */
function loudChannel(): AccessChannel {
  const listeners = createListeners();
  return {
    announce: () => {
      listeners.notify();
    },
    subscribe: (listener) => listeners.add(listener),
    close: () => undefined,
  };
}
